import type { RawTags } from "../../files/exiftool.ts";

/** The fields that hold keywords: the one that everybody reads, and its older form in IPTC. */
export const subjectField = "XMP-dc:Subject";
const iptcKeywordsField = "IPTC:Keywords";
/** Our record of the keywords that this program wrote. */
export const ownKeywordsField = "XMP-edgecaption:Keywords";

/** IPTC's limit for a keyword. */
const maxIptcBytes = 64;

/** The keywords that a file has. */
export interface FileKeywords {
  subject: readonly string[];
  iptc: readonly string[];
  /** Those that this program wrote, and that a person may have removed since. */
  own: readonly string[];
}

/** Reads a file's keywords from its tags. */
export function keywordsIn(tags: RawTags): FileKeywords {
  const list = (field: string) => [tags[field] ?? []].flat().map((keyword) => String(keyword).trim());
  return { subject: list(subjectField), iptc: list(iptcKeywordsField), own: list(ownKeywordsField) };
}

interface Wish {
  /** Undefined: not asked for. */
  keywords: readonly string[] | undefined;
  /** Whether to bring back keywords of ours that a person removed. */
  overwrite: boolean;
  /** Whether IPTC gets the keywords, too. */
  hasIptc: boolean;
}

/**
 * Returns the tags that change a file's keywords to those that are wanted: ours that are no longer wanted go, a person's stay,
 * and what a person removed is not written again. No tags where nothing changes.
 */
export function keywordTags(there: FileKeywords, { keywords, overwrite, hasIptc }: Wish): RawTags {
  if (keywords === undefined) return {};
  const removed = overwrite ? [] : there.own.filter((keyword) => !isAmong(there.subject, keyword));
  const persons = there.subject.filter((keyword) => !isAmong(there.own, keyword));
  const ours = keywords.filter((keyword) => !isAmong(persons, keyword) && !isAmong(removed, keyword));
  const subject = listTag(subjectField, there.subject, withOurs(there.subject, { own: there.own, ours }));
  const record = listTag(ownKeywordsField, there.own, [
    ...ours,
    ...removed.filter((keyword) => !isAmong(ours, keyword)),
  ]);
  const short = ours.filter((keyword) => Buffer.byteLength(keyword) <= maxIptcBytes);
  const iptc = hasIptc
    ? listTag(iptcKeywordsField, there.iptc, withOurs(there.iptc, { own: there.own, ours: short }))
    : {};
  return { ...subject, ...record, ...iptc };
}

/** Replaces what was ours in a list by what is ours now; what stays keeps its place. */
function withOurs(
  there: readonly string[],
  { own, ours }: { own: readonly string[]; ours: readonly string[] },
): string[] {
  const kept = there.filter((keyword) => !isAmong(own, keyword) || isAmong(ours, keyword));
  return [...kept, ...ours.filter((keyword) => !isAmong(kept, keyword))];
}

function listTag(field: string, before: readonly string[], after: string[]): RawTags {
  if (before.join("\n") === after.join("\n")) return {};
  return { [field]: after.length === 0 ? null : after };
}

/** Programs write one keyword in different cases. */
function isAmong(list: readonly string[], keyword: string): boolean {
  return list.some((other) => other.toLowerCase() === keyword.toLowerCase());
}
