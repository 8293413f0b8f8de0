import type { Stats } from "node:fs";
import * as z from "zod";
import { byteIdSchema, type CaptionOptions, captionResultSchema, contentIdSchema } from "../shared/contract.ts";
import type { PhotoIds } from "../shared/photo-id.ts";
import { photoKeyOf } from "./captioned-photo.ts";
import { readJsonLines } from "./json-lines.ts";

/** What every line of a state file begins with. */
const opening = '{"kind":';

const stampSchema = z.object({ size: z.number(), mtimeMs: z.number(), ctimeMs: z.number() });

const lineSchema = z.discriminatedUnion("kind", [
  /** A photo was captioned. `as`: its byte id now, which its caption has changed. */
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
  /** A file's ids, as long as it is not touched; `path` relative to the state's folder. */
  z.object({
    kind: z.literal("file"),
    path: z.string(),
    stamp: stampSchema,
    id: byteIdSchema,
    contentId: contentIdSchema.optional(),
  }),
  /** A person said it better. */
  z.object({ kind: z.literal("corrected"), key: z.string(), caption: z.string() }),
]);

export type StateLine = z.infer<typeof lineSchema>;

/** What makes a caption: another model or another search may say something else. */
export interface CaptionMaker {
  revision: string;
  options: CaptionOptions;
}

/** A photo's last caption, and where its line stands in the state file, in bytes. */
export interface LastCaption extends CaptionMaker {
  confidence: number;
  offset: number;
  length: number;
}

/** Whether a caption is by this model and search. */
export function isMadeBy({ revision, options }: CaptionMaker, last: LastCaption | undefined): boolean {
  return (
    last?.revision === revision && last.options.beam === options.beam && last.options.candidates === options.candidates
  );
}

interface KnownFile {
  stamp: z.infer<typeof stampSchema>;
  ids: PhotoIds;
}

/** What a state file says, without the captions' details, which stay on disk. */
export class StateIndex {
  readonly #last = new Map<string, LastCaption>();
  readonly #written = new Map<string, string[]>();
  readonly #corrections = new Map<string, string>();
  readonly #files = new Map<string, KnownFile>();
  /** Where the last whole line ends. */
  #end = 0;

  static async read(path: string): Promise<StateIndex> {
    const index = new StateIndex();
    for await (const { value, offset, end } of readJsonLines(path, { opening })) {
      const line = lineSchema.safeParse(value);
      if (!line.success) throw new Error(`${path}: expected a state of edge-caption: ${z.prettifyError(line.error)}`);
      index.add(line.data, { offset, end });
    }
    return index;
  }

  get end(): number {
    return this.#end;
  }

  add(line: StateLine, { offset, end }: { offset: number; end: number }): void {
    this.#end = end;
    if (line.kind === "captioned") {
      const { result } = line;
      const { model, options, confidence } = result;
      const key = line.as ?? photoKeyOf(result);
      this.#last.set(key, { revision: model.revision, options, confidence, offset, length: end - offset });
      this.#remember(key, result.caption);
    } else if (line.kind === "corrected") {
      this.#corrections.set(line.key, line.caption);
      this.#remember(line.key, line.caption);
    } else {
      const { path, stamp, id, contentId } = line;
      this.#files.set(path, { stamp, ids: contentId === undefined ? { id } : { id, contentId } });
    }
  }

  /** A photo's last caption, whoever made it. */
  last(key: string): LastCaption | undefined {
    return this.#last.get(key);
  }

  /** Its caption by this model and search, if that is the last one. */
  by(maker: CaptionMaker, key: string): LastCaption | undefined {
    const last = this.#last.get(key);
    return isMadeBy(maker, last) ? last : undefined;
  }

  correctionOf(key: string): string | undefined {
    return this.#corrections.get(key);
  }

  /** Whether this was ever the photo's caption here, and is not what somebody wrote elsewhere. */
  hasSaid(key: string, caption: string): boolean {
    return this.#written.get(key)?.includes(caption) ?? false;
  }

  /** The ids of a file that nobody has touched since they were worked out. */
  idsOf(path: string, stats: Stats): PhotoIds | undefined {
    const { stamp, ids } = this.#files.get(path) ?? {};
    const isSame = stamp?.size === stats.size && stamp.mtimeMs === stats.mtimeMs && stamp.ctimeMs === stats.ctimeMs;
    return isSame ? ids : undefined;
  }

  #remember(key: string, caption: string): void {
    const captions = this.#written.get(key) ?? [];
    if (!captions.includes(caption)) this.#written.set(key, [...captions, caption]);
  }
}
