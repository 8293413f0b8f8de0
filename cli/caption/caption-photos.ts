import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Semaphore } from "async-mutex";
import { pMapIterable, pMapStop } from "p-map";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import type { FoundPhoto } from "../../files/find/walk-folder.ts";
import { photoReader, unfitReason } from "../../files/read-photo-file.ts";
import { type CaptionOptions, type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { type PhotoIds, photoIdsOf } from "../../shared/photo-id.ts";
import type { CaptionState } from "../state/caption-state.ts";
import { type CaptionSource, HeicRefused } from "./caption-source.ts";
import { photoKeyOf } from "./captioned-photo.ts";

/** Of photos in memory at once; a larger one goes alone. In whole MiB: the semaphore counts them one by one. */
const maxMebibytesInHand = 512;

/** Captioned just now, the same photo as another one of this run, or captioned by an earlier run. */
export type CaptionOrigin = "new" | "copy" | "earlier";

/** A photo that has its caption, from now or from an earlier run. */
export interface FinishedPhoto {
  path: string;
  file: string;
  result: CaptionResult;
  origin: CaptionOrigin;
  thumbnail?: string;
}

export type PhotoOutcome =
  | ({ kind: "captioned" } & FinishedPhoto)
  | { kind: "failed"; path: string; error: string; isHeicRefused?: boolean }
  /** Beyond `limit`. */
  | { kind: "left"; path: string }
  /** The run cannot go on. */
  | { kind: "fatal"; error: unknown };

export interface CaptionRun {
  source: CaptionSource;
  /** Undefined: nothing is remembered. */
  state: CaptionState | undefined;
  /** Writes photos while others are read. */
  files?: Pick<FileReplacer, "tidy" | "readWhole"> | undefined;
  options: CaptionOptions;
  /** What relative paths start from. */
  folder: string;
  /** Of photos that are captioned anew. */
  limit?: number | undefined;
  /** Aborted: no further photo is begun. */
  signal: AbortSignal;
  /** A photo's small picture, where an output wants one. */
  thumbnailOf?: ((result: CaptionResult, read: () => Promise<Uint8Array>) => Promise<string | undefined>) | undefined;
}

/**
 * Captions photos, several under way at a time, and gives the outcomes in the order of the photos. What is captioned is
 * remembered before it is given.
 */
export function captionPhotos(photos: Iterable<FoundPhoto>, run: CaptionRun): AsyncIterable<PhotoOutcome> {
  const captioning = new Captioning(run);
  const { atOnce } = run.source;
  return pMapIterable(
    photos,
    async (photo) => (captioning.isOver ? pMapStop : captioning.outcomeOf(photo)),
    { concurrency: atOnce, backpressure: 4 * atOnce }, // a slow photo at the head of the order holds nobody up
  );
}

interface PhotoToCaption {
  path: string;
  file: string;
  stats: Stats;
  turn: Turn;
}

interface Turn {
  comes: Promise<void>;
  /** Lets the next one decide. */
  pass(): void;
}

class Captioning {
  readonly #run: CaptionRun;
  readonly #memory = new Semaphore(maxMebibytesInHand);
  /** By photo key: the same photo twice is captioned once. */
  readonly #underWay = new Map<string, Promise<CaptionResult>>();
  /** By photo key, what this run has captioned. */
  readonly #captioned = new Set<string>();
  #begun = 0;
  #previousTurn: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(run: CaptionRun) {
    this.#run = run;
  }

  get isOver(): boolean {
    return this.#isBroken || this.#run.signal.aborted;
  }

  async outcomeOf(photo: FoundPhoto): Promise<PhotoOutcome> {
    const { path } = photo;
    if ("error" in photo) return { kind: "failed", path, error: photo.error };
    const turn = this.#takeTurn();
    try {
      await turn.comes;
      const file = resolve(this.#run.folder, path);
      await this.#run.files?.tidy(dirname(file));
      const stats = await stat(toDiskPath(file));
      const weight = Math.min(Math.ceil((stats.size + 1) / 2 ** 20), maxMebibytesInHand);
      return await this.#memory.runExclusive(() => this.#caption({ path, file, stats, turn }), weight);
    } catch (error) {
      const reason = error instanceof CaptionError ? error.message : unfitReason(error);
      if (reason !== undefined) {
        return { kind: "failed", path, error: reason, isHeicRefused: error instanceof HeicRefused };
      }
      this.#isBroken = true;
      return { kind: "fatal", error };
    } finally {
      turn.pass();
    }
  }

  /** With a limit, photos are decided on in their order; without one, nobody waits. */
  #takeTurn(): Turn {
    if (this.#run.limit === undefined) return { comes: Promise.resolve(), pass() {} };
    const comes = this.#previousTurn;
    let pass = () => {};
    this.#previousTurn = new Promise((resolve) => {
      pass = resolve;
    });
    return { comes, pass };
  }

  async #caption({ path, file, stats, turn }: PhotoToCaption): Promise<PhotoOutcome> {
    const { state, options, source, thumbnailOf, files } = this.#run;
    const read = photoReader(file, files);
    const known = state?.idsOf(file, stats);
    const ids = known ?? (await photoIdsOf(await read()));
    const remembered = await state?.find(ids, { revision: source.model.revision, options });
    const origin: CaptionOrigin = this.#captioned.has(photoKeyOf(ids)) ? "copy" : "earlier";
    const captioning = remembered ? { result: remembered, origin } : this.#captionOnce(ids, read);
    turn.pass();
    const found = await captioning;
    if (found === undefined) return { kind: "left", path };
    if (known === undefined) await state?.rememberFile(file, { stats, ids });
    const result = asFoundNow(found.result, { ids, bytes: stats.size });
    const thumbnail = await thumbnailOf?.(result, read);
    const finished = { path, file, result, origin: found.origin };
    return { kind: "captioned", ...finished, ...(thumbnail === undefined ? {} : { thumbnail }) };
  }

  /** Undefined beyond the limit. */
  async #captionOnce(
    ids: PhotoIds,
    read: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<{ result: CaptionResult; origin: CaptionOrigin } | undefined> {
    const key = photoKeyOf(ids);
    const other = this.#underWay.get(key);
    if (other !== undefined) return { result: await other, origin: "copy" };
    if (this.#begun >= (this.#run.limit ?? Number.POSITIVE_INFINITY)) return undefined;
    this.#begun += 1;
    const own = this.#captionAnew(ids, read);
    this.#underWay.set(key, own);
    try {
      return { result: await own, origin: "new" };
    } catch (error) {
      this.#begun -= 1;
      throw error;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #captionAnew(ids: PhotoIds, read: () => Promise<Uint8Array<ArrayBuffer>>): Promise<CaptionResult> {
    const { source, options, state } = this.#run;
    const caption = (await source.lookUp?.(ids)) ?? (await source.caption({ bytes: await read(), options }));
    const result = captionResultSchema.parse({ ...caption, ...ids }); // its fields in the order that a state gives them back in
    await state?.remember(result);
    this.#captioned.add(photoKeyOf(ids));
    return result;
  }
}

/** A remembered result with the ids and the size that its file has now; without a content id it is named as it was captioned. */
function asFoundNow(result: CaptionResult, { ids, bytes }: { ids: PhotoIds; bytes: number }): CaptionResult {
  return ids.contentId === undefined ? result : { ...result, ...ids, image: { ...result.image, bytes } };
}
