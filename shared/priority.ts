import * as z from "zod";

/** Who waits for a caption: a person who uploaded a photo, or nobody, as in a job over a bucket. */
export const priorities = ["interactive", "bulk"] as const;

export const prioritySchema = z.enum(priorities);

export type Priority = z.infer<typeof prioritySchema>;
