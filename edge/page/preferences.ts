import * as z from "zod";
import { find } from "./find.ts";

const storageKey = "preferences";

const preferencesSchema = z.object({
  /** Whether large photos are shrunk before they are sent. */
  isShrunk: z.boolean().default(true),
  beam: z.int().min(1).max(10).default(3),
  candidates: z.int().min(1).max(5).default(3),
});

export type Preferences = z.infer<typeof preferencesSchema>;

/** Restores the form's options from the last visit, and stores every change. Returns a function that reads them. */
export function connectPreferences(): () => Preferences {
  const shrink = find("#shrink", HTMLInputElement);
  const beam = find("#beam", HTMLSelectElement);
  const candidates = find("#candidates", HTMLSelectElement);
  const stored = readPreferences();
  shrink.checked = stored.isShrunk;
  beam.value = String(stored.beam);
  candidates.value = String(stored.candidates);
  const read = () => ({ isShrunk: shrink.checked, beam: Number(beam.value), candidates: Number(candidates.value) });
  for (const control of [shrink, beam, candidates]) control.addEventListener("change", () => storePreferences(read()));
  return read;
}

function readPreferences(): Preferences {
  try {
    return preferencesSchema.parse(JSON.parse(localStorage.getItem(storageKey) ?? "{}"));
  } catch {
    return preferencesSchema.parse({}); // storage is forbidden, or an older page wrote it
  }
}

function storePreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences));
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }
}
