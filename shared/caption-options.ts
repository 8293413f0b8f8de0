import * as z from "zod";
import { CaptionError, quote } from "./errors.ts";

const maxBeam = 10;
const maxCandidates = 5;
const defaultBeam = 3;
const defaultCandidates = 1;
const leastMaxWords = 5;
const mostMaxWords = 20;

/** Search options of one caption, which decide what the model says. `beam` 1 is greedy search; `candidates` is at most `beam`. */
const searchOptionsShape = {
  beam: z.int().min(1).max(maxBeam).describe("Partial captions that the search keeps; 1 is greedy search."),
  candidates: z.int().min(1).max(maxCandidates).describe("Captions in the answer; at most `beam`."),
  maxWords: z
    .int()
    .min(leastMaxWords)
    .max(mostMaxWords)
    .optional()
    .describe("Captions end with about this many words, later only to avoid a bad ending."),
};

/** Options of a caption's form, which change what is told of a search's result. A value that is the default is left out. */
const formOptionsShape = {
  style: z.literal("sentence").optional().describe("Captions begin with a capital and end with a full stop."),
  neutral: z.literal(true).optional().describe("English words for women, men, girls and boys become person and child."),
  keywords: z.literal(true).optional().describe("The answer also has keywords."),
};

export const captionOptionsSchema = z
  .strictObject({ ...searchOptionsShape, ...formOptionsShape })
  .refine(({ beam, candidates }) => candidates <= beam);

/** How to search for a caption, and which form it is to have. `candidates` is at most `beam`. */
export interface CaptionOptions extends z.infer<typeof captionOptionsSchema> {}
export type SearchOptions = Pick<CaptionOptions, keyof typeof searchOptionsShape>;
export type FormOptions = Pick<CaptionOptions, keyof typeof formOptionsShape>;

export const defaultCaptionOptions: CaptionOptions = { beam: defaultBeam, candidates: defaultCandidates };

/** The parameters of a caption's URL, as strings. */
const captionParameters = ["beam", "candidates", "maxWords", "style", "neutral", "keywords"] as const;

type CaptionParameter = (typeof captionParameters)[number];

/** Forms that may be asked for by name; `plain` is the default. */
export const captionStyles = ["plain", "sentence"] as const;

/** Reads `?beam=&candidates=` and the others. Throws `invalid_request` that says what was expected and what was received. */
export function parseCaptionOptions(query: URLSearchParams): CaptionOptions {
  const names: readonly string[] = captionParameters;
  for (const name of query.keys()) {
    if (names.includes(name)) continue;
    const expected = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
    throw new CaptionError("invalid_request", `unknown query parameter ${quote(name)}: expected ${expected}`);
  }
  const beam = readWhole(query, { name: "beam", min: 1, max: maxBeam }) ?? defaultBeam;
  const candidates = readWhole(query, { name: "candidates", min: 1, max: maxCandidates }) ?? defaultCandidates;
  if (candidates > beam) {
    throw new CaptionError(
      "invalid_request",
      `expected candidates to be at most beam, received candidates=${candidates} and beam=${beam}`,
    );
  }
  const maxWords = readWhole(query, { name: "maxWords", min: leastMaxWords, max: mostMaxWords });
  return {
    beam,
    candidates,
    ...(maxWords === undefined ? {} : { maxWords }),
    ...(readChoice(query, "style", captionStyles) === "sentence" ? { style: "sentence" } : {}),
    ...(readSwitch(query, "neutral") ? { neutral: true } : {}),
    ...(readSwitch(query, "keywords") ? { keywords: true } : {}),
  };
}

function readWhole(
  query: URLSearchParams,
  field: { name: CaptionParameter; min: number; max: number },
): number | undefined {
  const [value, second] = query.getAll(field.name);
  if (value === undefined) return undefined;
  if (second === undefined && /^\d{1,3}$/.test(value)) {
    const number = Number(value);
    if (number >= field.min && number <= field.max) return number;
  }
  const received = second === undefined ? quote(value) : "it more than once";
  throw new CaptionError(
    "invalid_request",
    `expected ${field.name} to be one whole number from ${field.min} to ${field.max}, received ${received}`,
  );
}

function readChoice<Choice extends string>(
  query: URLSearchParams,
  name: CaptionParameter,
  choices: readonly Choice[],
): Choice | undefined {
  const [value, second] = query.getAll(name);
  const found = choices.find((choice) => choice === value);
  if (second === undefined && (value === undefined || found !== undefined)) return found;
  const received = second === undefined ? quote(value ?? "") : "it more than once";
  throw new CaptionError("invalid_request", `expected ${name} to be ${choices.join(" or ")}, received ${received}`);
}

function readSwitch(query: URLSearchParams, name: CaptionParameter): boolean {
  return readChoice(query, name, ["true", "false"]) === "true";
}

/** Writes the query of a look-up's URL with every option spelt out that is not a newer one's default, so that one result has one URL. */
export function captionQuery({ beam, candidates, maxWords, style, neutral, keywords }: CaptionOptions): string {
  const newer = Object.entries({ maxWords, style, neutral, keywords });
  const given = newer.flatMap(([name, value]) => (value === undefined ? [] : [`&${name}=${value}`]));
  return `beam=${beam}&candidates=${candidates}${given.join("")}`;
}

/**
 * Returns the search whose result is stored for a request: the options of a caption's form change nothing in it. With
 * `maxWords` it has all candidates, of which an answer takes as many as were asked for, so that a photo has fewer results.
 */
export function searchOf({ beam, candidates, maxWords }: SearchOptions): SearchOptions {
  return maxWords === undefined ? { beam, candidates } : { beam, candidates: Math.min(beam, maxCandidates), maxWords };
}

const allBeams = wholeNumbers(1, maxBeam);

/** Every search whose result may be stored, those without a limit first. */
export const allSearches: readonly SearchOptions[] = [
  ...allBeams.flatMap((beam) =>
    wholeNumbers(1, Math.min(beam, maxCandidates)).map((candidates) => ({ beam, candidates })),
  ),
  ...allBeams.flatMap((beam) =>
    wholeNumbers(leastMaxWords, mostMaxWords).map((maxWords) => searchOf({ beam, candidates: 1, maxWords })),
  ),
];

function wholeNumbers(least: number, most: number): number[] {
  return Array.from({ length: most - least + 1 }, (_, index) => least + index);
}
