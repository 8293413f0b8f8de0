import * as z from "zod";

const storageKey = "preferences";

const preferencesSchema = z.object({
  /** Whether large photos are shrunk before they are sent. */
  isShrunk: z.boolean().default(true),
  beam: z.int().min(1).max(10).default(3),
  candidates: z.int().min(1).max(5).default(3),
});

export type Preferences = z.infer<typeof preferencesSchema>;

/** What was chosen at an earlier visit, where this browser remembers it. */
export function readPreferences(): Preferences {
  try {
    return preferencesSchema.parse(JSON.parse(localStorage.getItem(storageKey) ?? "{}"));
  } catch {
    return preferencesSchema.parse({}); // storage is forbidden, or holds what an older page wrote
  }
}

/** Keeps what was chosen for the next visit, where this browser lets it. */
export function keepPreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences));
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }
}
