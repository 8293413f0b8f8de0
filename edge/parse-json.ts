import type * as z from "zod";

/** Parses text that came from outside by its schema. Throws what JSON or zod threw. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(text));
}
