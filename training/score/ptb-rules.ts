/** A kind of token. Capture groups, if any, are the tokens it yields; `write` respells each. */
export interface TokenRule {
  pattern: RegExp;
  write?: (token: string) => string;
}

/**
 * Abbreviations that keep their full stop whatever follows, as alternatives of a regular expression, like the other
 * lists here.
 */
const abbreviations =
  "ph\\.d|al|cf|co|ct|dr|ft|ga|jr|ky|lt|md|mo|mr|ms|mt|ph|rd|rt|sq|sr|st|va|vs|vt|wm|adj|adm|adv|ala|apr|aug|ave|bhd|cie|" +
  "col|cos|cpl|dak|dec|det|drs|ens|esq|est|etc|ext|feb|fla|fri|gen|gov|hon|inc|ind|jan|jos|jul|jun|kan|ltd|maj|mar|mfg|" +
  "mme|mon|mrs|mtg|neb|nev|nov|oct|pfc|plc|pte|pty|pvt|rep|rev|sen|sep|seq|sfc|sgt|spc|ste|sys|tel|thu|tue|wed|wis|wyo|" +
  "alex|ariz|assn|asst|atty|bldg|blvd|brig|bros|capt|cmdr|colo|conn|corp|dept|elec|govs|insp|intl|invt|kans|mich|minn|" +
  "mlle|mont|msgr|natl|okla|penn|ppte|ppty|pres|prof|ptes|ptys|reps|sens|sept|supt|tenn|tues|univ|wisc|assoc|calif|comdr|" +
  "messrs|thurs";

/** States whose abbreviations are also words: abbreviations only when capitalised or before a comma. */
const states = "ark|az|del|ill|la|mass|miss|ore|pa|tex|wash";
const capitalStates = eitherCapital(states);

/** Words that are abbreviations before a number or a comma. */
const numbering = "art|ca|figs?|nos?|op|pp|prop";

/** Words that, capitalised after "b. ", start a sentence, so that the full stop is not the initial's. */
const sentenceStarters = eitherCapital(
  "a|about|according|after|an|as|at|but|earlier|he|her|here|however|if|in|it|last|many|more|now|once|one|other|our|she|" +
    "since|so|some|such|that|the|their|then|there|these|they|this|we|what|when|while|yet|you",
);

function eitherCapital(words: string): string {
  return words
    .split("|")
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}|${word.toUpperCase()}`)
    .join("|");
}

const letter = String.raw`[\p{L}\p{M}\u02b0-\u02ff]`;
const wordSign = String.raw`[\p{L}\p{M}\p{Nd}\u02b0-\u02ff]`;
const word = String.raw`${wordSign}+(?:[-_\u2010\u2011]${wordSign}+)*`;
const dashedWord = `${wordSign}+(?:-${wordSign}+)*`;
const dashedTail = `(?:-${wordSign}+)*`;
const quote = String.raw`['\u2018\u2019${"`"}]`;
const apostrophe = String.raw`['\u2019]`;

const spelling: Record<string, string> = {
  ...{ "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-" },
  ...{ "¢": "cents", "£": "#", "¤": "$", "₠": "$", "€": "$" },
  ...{ "¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3" },
  ...{ "&amp;": "&", "&lt;": "<", "&gt;": ">", "\u2018": "`", "\u2019": "'" },
};

/**
 * Rules of the Penn Treebank tokenizer for English, as in Stanford CoreNLP 3.4.1: the longest match wins, and of
 * equally long ones the first. Derived by comparing outputs; none of that program's (GPL) source was read.
 */
export const ptbRules: readonly TokenRule[] = [
  // Words that the Treebank splits: cannot, don't, dog's, 'twas, y'all.
  { pattern: anyCase("(?:(can)(not)|(gon)(na)|(got)(ta)|(wan)(na)|(gim)(me)|(lem)(me))(?!'s)") },
  { pattern: anyCase(`(${letter}+?)(n${quote}t${letter}*)|n${quote}t`), write: respellMarks },
  { pattern: anyCase(`${apostrophe}(?:ll|re|ve|[dms])(?!${letter})`), write: respellMarks },
  { pattern: anyCase(`('t)(?:is|was)|([jy]${apostrophe})${letter}`) },

  // Apostrophes that belong to a word: O'Neil, o'clock, 'em, rock 'n' roll, the '90s.
  { pattern: anyCase(`(?:${wordSign}+-)*[dlo]${apostrophe}${letter}{2,}${dashedTail}`) },
  { pattern: anyCase(`[cs]${apostrophe}mon|s'mores|ma${apostrophe}am${letter}*|n?e'er|ev'ry|hallowe'en`) },
  { pattern: anyCase(`nat'l|li'l|ol'(?!${letter})|qu'il`) },
  { pattern: anyCase(`'(?:n'|n(?!${letter})|em|till?|cause)|\u2019(?:n\u2019|em|cause)`) },
  { pattern: anyCase(`${apostrophe}[2-9]0s|(?<!\\d)${apostrophe}\\d\\d(?!${wordSign}|[-:'\u2019])`) },

  // Words, and words joined by dots, slashes or ampersands.
  { pattern: exactCase(word) },
  { pattern: exactCase(`${letter}+(?:[.!?]${letter}+)+`) },
  { pattern: exactCase(`${dashedWord}(?:/${dashedWord})+`) },
  { pattern: exactCase(String.raw`[A-Z]+(?:&[A-Z]+)+|[cC]\+\+|[cCfF]#`) },

  // Full stops that belong to a word: mr., Mass., no. 5, p.m., b.
  { pattern: anyCase(String.raw`(?:${abbreviations})\.${dashedTail}`) },
  { pattern: exactCase(String.raw`(?:${capitalStates})\.`) },
  { pattern: anyCase(String.raw`(?:${numbering})\.(?=\s*\d)|(?:${numbering}|${states})\.(?=[,;:])`) },
  { pattern: anyCase(String.raw`(?:${wordSign}+-)*[a-z](?:\.[a-z])+(?:\.${dashedTail})?`) },
  { pattern: exactCase(String.raw`[a-zA-Z]\.${dashedTail}(?!\s+(?:${sentenceStarters})(?:\s|$))`) },

  // Numbers, and money named by a country.
  { pattern: exactCase(String.raw`[-+]?(?:\d+(?:[.,:]\d+)*|[.,:]\d+)`) },
  { pattern: exactCase(String.raw`\d+(?:[.,]\d+)*(?:-${wordSign}+)+`) },
  { pattern: exactCase(String.raw`(?:\d+[ -])?\d+\\?[/\u2044]\d+`), write: joinSpaces },
  { pattern: exactCase(String.raw`(?:US|HK|A|C|NZ|S)\$`) },

  // Addresses, tags, entities, faces, marks.
  { pattern: anyCase(String.raw`https?://[^\s"<>()]*[^\s"<>().,;:!?-]|www\.[^\s"'<>()]*[^\s"'<>().,;:!?/-]`) },
  { pattern: anyCase(String.raw`[a-z\d][\w.+-]*@[a-z\d]+(?:[.-][a-z\d]+)*|@[a-z_]+|#[a-z]+`) },
  { pattern: anyCase("</?[a-z][^<>]*>|<!--[^<>]*-->"), write: joinSpaces },
  { pattern: anyCase(String.raw`&(?:amp|lt|gt|quot|apos|#\d+);`), write: respell },
  { pattern: exactCase("[:;=]['o^]?-?[()DP](?![a-zA-Z])"), write: respellMarks },
  { pattern: exactCase("--+"), write: () => "--" },
  { pattern: exactCase(String.raw`[!?]+|#+|\*+|__+|''|<<|>>|[-^]_[-^]`) },
  { pattern: exactCase(String.raw`[\p{P}\p{S}\p{No}]`), write: respell },
];

function anyCase(source: string): RegExp {
  return new RegExp(source, "iuy");
}

function exactCase(source: string): RegExp {
  return new RegExp(source, "uy");
}

function respell(token: string): string {
  return spelling[token] ?? token;
}

function respellMarks(token: string): string {
  return [...token].map(respell).join("");
}

/** Joins the parts of "3 1/2" into one token with a no-break space. */
function joinSpaces(token: string): string {
  return token.replace(/\s+/g, "\u00a0");
}
