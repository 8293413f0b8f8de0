import { find } from "./find.ts";
import { keepPreferences, type Preferences, readPreferences } from "./preferences.ts";

/** Fills the form's options with what was chosen last, keeps what is chosen now, and gives what reads them. */
export function connectOptions(): () => Preferences {
  const shrink = find("#shrink", HTMLInputElement);
  const beam = find("#beam", HTMLSelectElement);
  const candidates = find("#candidates", HTMLSelectElement);
  const kept = readPreferences();
  shrink.checked = kept.isShrunk;
  beam.value = String(kept.beam);
  candidates.value = String(kept.candidates);
  const read = () => ({ isShrunk: shrink.checked, beam: Number(beam.value), candidates: Number(candidates.value) });
  for (const control of [shrink, beam, candidates]) control.addEventListener("change", () => keepPreferences(read()));
  return read;
}
