/** Keep their full stop whatever follows. The alternatives of a regular expression, as are the others here. */
export const abbreviations =
  "ph\\.d|al|cf|co|ct|dr|ft|ga|jr|ky|lt|md|mo|mr|ms|mt|ph|rd|rt|sq|sr|st|va|vs|vt|wm|adj|adm|adv|ala|apr|aug|ave|bhd|cie|" +
  "col|cos|cpl|dak|dec|det|drs|ens|esq|est|etc|ext|feb|fla|fri|gen|gov|hon|inc|ind|jan|jos|jul|jun|kan|ltd|maj|mar|mfg|" +
  "mme|mon|mrs|mtg|neb|nev|nov|oct|pfc|plc|pte|pty|pvt|rep|rev|sen|sep|seq|sfc|sgt|spc|ste|sys|tel|thu|tue|wed|wis|wyo|" +
  "alex|ariz|assn|asst|atty|bldg|blvd|brig|bros|capt|cmdr|colo|conn|corp|dept|elec|govs|insp|intl|invt|kans|mich|minn|" +
  "mlle|mont|msgr|natl|okla|penn|ppte|ppty|pres|prof|ptes|ptys|reps|sens|sept|supt|tenn|tues|univ|wisc|assoc|calif|comdr|" +
  "messrs|thurs";

/** Words too, so abbreviations when capitalised or before a comma. */
export const states = "ark|az|del|ill|la|mass|miss|ore|pa|tex|wash";
export const capitalStates = eitherCapital(states);

/** Abbreviations before a number or a comma. */
export const numbering = "art|ca|figs?|nos?|op|pp|prop";

/** A capitalised one of these after "b. " starts a sentence, and the full stop is then not the initial's. */
export const sentenceStarters = eitherCapital(
  "a|about|according|after|an|as|at|but|earlier|he|her|here|however|if|in|it|last|many|more|now|once|one|other|our|she|" +
    "since|so|some|such|that|the|their|then|there|these|they|this|we|what|when|while|yet|you",
);

function eitherCapital(words: string): string {
  return words
    .split("|")
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}|${word.toUpperCase()}`)
    .join("|");
}
