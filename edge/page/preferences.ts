import * as z from "zod";
import { captionOptionsSchema } from "../../shared/caption-options.ts";
import { find } from "./find.ts";

const storageKey = "preferences";

const { beam, candidates, maxWords } = captionOptionsSchema.shape;

const preferencesSchema = z.object({
  /** Whether large photos are shrunk before they are sent. */
  isShrunk: z.boolean().default(true),
  isSentence: z.boolean().default(false),
  isNeutral: z.boolean().default(false),
  hasKeywords: z.boolean().default(false),
  beam: beam.default(3),
  candidates: candidates.default(3),
  maxWords,
});

export type Preferences = z.infer<typeof preferencesSchema>;

/** Restores the form's options from the last visit, and stores every change. Returns a function that reads them. */
export function connectPreferences(): () => Preferences {
  const controls = findControls();
  const { shrink, sentence, neutral, keywords, beam, candidates, maxWords } = controls;
  const stored = readPreferences();
  shrink.checked = stored.isShrunk;
  sentence.checked = stored.isSentence;
  neutral.checked = stored.isNeutral;
  keywords.checked = stored.hasKeywords;
  beam.value = String(stored.beam);
  candidates.value = String(stored.candidates);
  maxWords.value = String(stored.maxWords ?? "");
  const read = () => ({
    isShrunk: shrink.checked,
    isSentence: sentence.checked,
    isNeutral: neutral.checked,
    hasKeywords: keywords.checked,
    beam: Number(beam.value),
    candidates: Number(candidates.value),
    maxWords: maxWords.value === "" ? undefined : Number(maxWords.value),
  });
  for (const control of Object.values(controls)) control.addEventListener("change", () => storePreferences(read()));
  return read;
}

function findControls() {
  return {
    shrink: find("#shrink", HTMLInputElement),
    sentence: find("#sentence", HTMLInputElement),
    neutral: find("#neutral", HTMLInputElement),
    keywords: find("#keywords", HTMLInputElement),
    beam: find("#beam", HTMLSelectElement),
    candidates: find("#candidates", HTMLSelectElement),
    maxWords: find("#max-words", HTMLSelectElement),
  };
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
