/** Pattern of a letter in a script whose words follow each other without spaces and for which ICU has a dictionary. */
const unspacedLetter = String.raw`(?=[\p{L}\p{M}])[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\u3031-\u3035\u30fc\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]`;

const anUnspacedLetter = new RegExp(unspacedLetter, "u");

// The marks keep both out of the page, since its browsers may lack look-behind and Intl.Segmenter.
const unspacedRun = /* @__PURE__ */ runPattern();
/** Boundaries are the same in every language. */
const segmenter = /* @__PURE__ */ new Intl.Segmenter("en", { granularity: "word" });

const oneLatinLetter = /^\p{sc=Latn}$/u;

/** Full-width and half-width forms, ligatures, Arabic presentation forms and mathematical alphabets, but no punctuation. */
const presentationForms =
  /[\ufb00-\ufdff\ufe70-\ufefc\uff07\uff0d\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\u{1d400}-\u{1d7ff}]+/gu;

/** Soft hyphens, marks of writing direction and the like. Mongolian variation selectors and joiners are part of words. */
const invisible = /(?![\u180b-\u180f\u200b-\u200d])\p{Default_Ignorable_Code_Point}/gu;
const zeroWidthSpace = /\u200b/g;

/** Zero-width joiners, which change how Arabic and Indic words are written and nothing else. */
const joiners =
  /(?<=[\p{M}\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}])(?:([\u200c\u200d])[\u200c\u200d]*(?=[\p{L}\p{M}])|(\u200d)[\u200c\u200d]*)|[\u200c\u200d]+/gu;

/** Punctuation that Unicode keeps inside words, as in a：b and a‿b, and marks without a letter before them. */
const punctuationInside = /\p{P}\p{M}*|^\p{M}+/u;

const asciiOnly = /^\p{ASCII}*$/u;

/** Gives texts that look alike the same characters: NFC, without presentation forms and invisible signs. ASCII stays unchanged. */
export function normalizeText(text: string): string {
  if (asciiOnly.test(text)) return text;
  return text
    .replace(presentationForms, (forms) => forms.normalize("NFKC"))
    .normalize("NFC")
    .replace(invisible, "")
    .replace(joiners, "$1$2")
    .replace(zeroWidthSpace, " ")
    .replaceAll("İ", "i"); // its lower case in Turkish; elsewhere it would be an i and a combining dot
}

/** Splits a token without white space at Unicode's word boundaries (UAX #29). What `spaceWords` separated stays one word. */
export function splitToken(token: string): string[] {
  if (asciiOnly.test(token) || hasUnspacedLetter(token)) return [token];
  const segments = [...segmenter.segment(token)].map(({ segment }) => segment);
  return segments.flatMap((segment) => segment.split(punctuationInside)).filter((word) => word !== "");
}

/** Puts spaces around each word of a script that has none. Other text stays unchanged. */
export function spaceWords(text: string): string {
  return asciiOnly.test(text) ? text : text.replace(unspacedRun, (run) => ` ${segmentRun(run).join(" ")} `);
}

/** Splits a run into words; a lone Latin letter belongs to its neighbour. */
function segmentRun(run: string): string[] {
  const words = [...segmenter.segment(run)].map(({ segment }) => segment);
  const [first = "", second] = words;
  if (second !== undefined && oneLatinLetter.test(first)) words.splice(0, 2, first + second);
  const last = words.at(-1) ?? "";
  if (words.length > 1 && oneLatinLetter.test(last)) words.splice(-2, 2, (words.at(-2) ?? "") + last);
  return words;
}

/** Builds the pattern of a run of letters in scripts without spaces, with the lone Latin letter of a word like T恤 or ビタミンC. */
function runPattern(): RegExp {
  const latin = String.raw`\p{sc=Latn}`;
  const before = `(?:(?<!${latin})${latin})?`;
  const after = `(?:${latin}(?!${latin}|${unspacedLetter}))?`;
  return new RegExp(String.raw`${before}(?:${unspacedLetter}\p{M}*)+${after}`, "gu");
}

/** Whether a word is at least partly in a script without spaces, like T恤. */
function hasUnspacedLetter(word: string): boolean {
  return anUnspacedLetter.test(word);
}

/** Joins words into a caption, with spaces except between words of scripts that have none. */
export function joinWords(words: readonly string[]): string {
  return words.map((word, index) => gapBetween(words[index - 1], word) + word).join("");
}

/** Returns the gap between two words of a caption: nothing before the first word and within a script without spaces, else a space. */
export function gapBetween(before: string | undefined, word: string): "" | " " {
  if (before === undefined) return "";
  return hasUnspacedLetter(before) && hasUnspacedLetter(word) ? "" : " ";
}
