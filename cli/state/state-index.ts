import { createHash, type Hash } from "node:crypto";
import { lstatSync, type Stats } from "node:fs";
import * as z from "zod";
import { readJsonLines } from "../../files/read-lines.ts";
import type { Version } from "../../files/remote/address.ts";
import { captionQuery, type SearchOptions } from "../../shared/caption-options.ts";
import { byteIdSchema, type CaptionResult, captionResultSchema, contentIdSchema } from "../../shared/contract.ts";
import type { PhotoIds } from "../../shared/photo-id.ts";
import { type StateKey, stateKeyPath } from "./state-key.ts";

/** The start of every line of a state file. */
const opening = '{"kind":';

const stampSchema = z.object({ size: z.number(), mtimeMs: z.number(), ctimeMs: z.number() });

const lineSchema = z.discriminatedUnion("kind", [
  /** A photo was captioned. `as` is its byte id after a caption written into it has changed that. */
  z.object({
    kind: z.literal("captioned"),
    as: byteIdSchema.optional(),
    result: captionResultSchema.pick({
      id: true,
      contentId: true,
      caption: true,
      confidence: true,
      model: true,
      options: true,
    }),
  }),
  /** The ids of a file, valid until it is touched; `path` is relative to the state's folder. */
  z.object({
    kind: z.literal("file"),
    path: z.string(),
    stamp: stampSchema,
    id: byteIdSchema,
    contentId: contentIdSchema.optional(),
  }),
  /** The ids of a photo at an address, valid while its server says that it has this version. */
  z.object({
    kind: z.literal("object"),
    address: z.string(),
    version: z.object({ etag: z.string().optional(), lastModified: z.string().optional() }),
    bytes: z.number(),
    id: byteIdSchema,
    contentId: contentIdSchema.optional(),
  }),
  /** The last caption was written in another form: as a sentence, or with neutral words. */
  z.object({ kind: z.literal("formed"), key: z.string(), caption: z.string() }),
  /** A person corrected the caption. */
  z.object({ kind: z.literal("corrected"), key: z.string(), caption: z.string() }),
  /** The user vouched for everything before this line, which has this many bytes and this digest. */
  z.object({ kind: z.literal("trusted"), bytes: z.number(), sha256: z.string() }),
]);

export type StateLine = z.infer<typeof lineSchema>;

/** The ids of a photo, as a result has them. */
export type PhotoIdentity = Pick<CaptionResult, "id" | "contentId">;

/** Returns the id of a photo that neither another name nor a caption written into it changes, where its format has one. */
export function photoKeyOf({ id, contentId }: PhotoIdentity): string {
  return contentId ?? id;
}

/** The model and search that made a caption: others may make another. */
export interface CaptionMaker {
  revision: string;
  options: SearchOptions;
}

/** A photo's last caption, and the place of its line in the state file, in bytes. */
export interface LastCaption extends CaptionMaker {
  confidence: number;
  offset: number;
  length: number;
}

/** Whether this model and search made a caption. */
export function isMadeBy({ revision, options }: CaptionMaker, last: LastCaption | undefined): boolean {
  return last?.revision === revision && captionQuery(last.options) === captionQuery(options);
}

interface KnownFile {
  stamp: z.infer<typeof stampSchema>;
  ids: PhotoIds;
}

/** A photo at an address, as it was when it was read last. */
export interface KnownObject {
  version: Version;
  bytes: number;
  ids: PhotoIds;
}

export interface Trust {
  /** Recognizes lines that were written here; undefined where there is none. */
  key: StateKey | undefined;
  /** Whether to believe lines that were written elsewhere. */
  trusts: boolean;
}

/** An index of a state file in memory, without the details of captions, which stay on disk. */
export class StateIndex {
  readonly #last = new Map<string, LastCaption>();
  readonly #written = new Map<string, string[]>();
  readonly #corrections = new Map<string, string>();
  /** The forms of each photo's last caption. */
  readonly #forms = new Map<string, Set<string>>();
  readonly #files = new Map<string, KnownFile>();
  readonly #objects = new Map<string, KnownObject>();
  /** Where the last whole line ends. */
  #end = 0;
  #newTrust: StateLine | undefined;

  /**
   * Reads a state. Throws a sentence where it has lines that were not written here and nobody has vouched for: they may have
   * come with the photos, and their corrections would be written into them.
   */
  static async read(path: string, { key, trusts }: Trust): Promise<StateIndex> {
    const index = new StateIndex();
    const digest = createHash("sha256");
    /** Lines from the first one that was not written here. */
    let doubted: DoubtedLine[] = [];
    let count = 0;
    for await (const { value, text, offset, end } of readJsonLines(path, { opening, followsLinks: false })) {
      const line = parseLine(path, value);
      const isOurs = key?.hasMarked(text) === true;
      if (isOurs && line.kind === "trusted" && line.bytes === offset && line.sha256 === digestSoFar(digest)) {
        for (const { line: earlier, ...place } of doubted) index.add(earlier, place);
        doubted = [];
      }
      digest.update(text);
      count += 1;
      if (isOurs && doubted.length === 0) index.add(line, { offset, end });
      else doubted.push({ line, offset, end, isOurs });
    }
    const foreign = doubted.filter(({ isOurs }) => !isOurs).length;
    const isOthers = count === 0 && isOfAnotherUser(path);
    if ((foreign > 0 || isOthers) && !trusts)
      throw new Error(describeDoubt(path, { foreign, count, hasKey: key !== undefined }));
    for (const { line, ...place } of doubted) index.add(line, place);
    if (foreign > 0) index.#newTrust = { kind: "trusted", bytes: index.#end, sha256: digestSoFar(digest) };
    return index;
  }

  get end(): number {
    return this.#end;
  }

  /** The line to write so that nobody has to vouch for the same lines again. */
  get newTrust(): StateLine | undefined {
    return this.#newTrust;
  }

  add(line: StateLine, { offset, end }: { offset: number; end: number }): void {
    this.#end = end;
    if (line.kind === "captioned") {
      const { result } = line;
      const { model, options, confidence } = result;
      const key = line.as ?? photoKeyOf(result);
      this.#last.set(key, { revision: model.revision, options, confidence, offset, length: end - offset });
      this.#remember(key, result.caption);
      this.#forms.delete(key);
    } else if (line.kind === "formed") {
      this.#forms.set(line.key, (this.#forms.get(line.key) ?? new Set()).add(line.caption));
      this.#remember(line.key, line.caption);
    } else if (line.kind === "corrected") {
      this.#corrections.set(line.key, line.caption);
      this.#remember(line.key, line.caption);
    } else if (line.kind === "file") {
      const { path, stamp, id, contentId } = line;
      this.#files.set(path, { stamp, ids: contentId === undefined ? { id } : { id, contentId } });
    } else if (line.kind === "object") {
      const { address, version, bytes, id, contentId } = line;
      this.#objects.set(address, { version, bytes, ids: contentId === undefined ? { id } : { id, contentId } });
    }
  }

  /** Returns a photo's last caption by any model and search. */
  last(key: string): LastCaption | undefined {
    return this.#last.get(key);
  }

  /** Returns a photo's last caption if this model and search made it. */
  by(maker: CaptionMaker, key: string): LastCaption | undefined {
    const last = this.#last.get(key);
    return isMadeBy(maker, last) ? last : undefined;
  }

  correctionOf(key: string): string | undefined {
    return this.#corrections.get(key);
  }

  /** Whether the photo's last caption was written in this form. */
  hasFormed(key: string, caption: string): boolean {
    return this.formsOf(key).has(caption);
  }

  formsOf(key: string): ReadonlySet<string> {
    return this.#forms.get(key) ?? new Set();
  }

  /** Whether this was ever the photo's caption here, as opposed to text that somebody wrote elsewhere. */
  hasSaid(key: string, caption: string): boolean {
    return this.#written.get(key)?.includes(caption) ?? false;
  }

  /** Returns the ids of a file that has not been touched since they were computed. */
  idsOf(path: string, stats: Stats): PhotoIds | undefined {
    const { stamp, ids } = this.#files.get(path) ?? {};
    const isSame = stamp?.size === stats.size && stamp.mtimeMs === stats.mtimeMs && stamp.ctimeMs === stats.ctimeMs;
    return isSame ? ids : undefined;
  }

  /** Returns what was at an address, by its name without secrets. */
  objectAt(address: string): KnownObject | undefined {
    return this.#objects.get(address);
  }

  #remember(key: string, caption: string): void {
    const captions = this.#written.get(key) ?? [];
    if (!captions.includes(caption)) this.#written.set(key, [...captions, caption]);
  }
}

interface DoubtedLine {
  line: StateLine;
  offset: number;
  end: number;
  isOurs: boolean;
}

function parseLine(path: string, value: unknown): StateLine {
  const line = lineSchema.safeParse(value);
  if (line.success) return line.data;
  throw new Error(`${path}: expected a state of edge-caption: ${z.prettifyError(line.error)}`);
}

function digestSoFar(digest: Hash): string {
  return digest.copy().digest("hex");
}

function isOfAnotherUser(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && process.geteuid !== undefined && found.uid !== process.geteuid();
}

function describeDoubt(
  path: string,
  { foreign, count, hasKey }: { foreign: number; count: number; hasKey: boolean },
): string {
  const whose =
    foreign === 0 ? "another user's" : `${foreign} of its ${count} lines were not written by you on this machine`;
  const unkept = hasKey ? "" : ` (your lines are recognized by a key, ${stateKeyPath()}, which is not there)`;
  return (
    `${path}: ${whose}${unkept}; so it is not trusted. If it is yours, from another machine or an earlier version, ` +
    "add --trust-state once. If it came with the photos, delete it, or name another file with --state"
  );
}
