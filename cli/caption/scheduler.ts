import { Semaphore } from "async-mutex";
import { pMapIterable, pMapStop } from "p-map";
import { UnfitForCaption } from "../../files/file-error.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import type { FoundPhoto } from "../../files/find/search-result.ts";
import { isRawPhoto } from "../../files/raw-preview.ts";
import { photoReader, unfitReason } from "../../files/read-photo-file.ts";
import type { RemotePhotos } from "../../files/remote/remote-photos.ts";
import type { SearchOptions } from "../../shared/caption-options.ts";
import { type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { type PhotoIds, photoIdsOf } from "../../shared/photo-id.ts";
import type { StateFile } from "../state/state-file.ts";
import { photoKeyOf } from "../state/state-index.ts";
import { type CaptionBackend, HeicRefused } from "./backend.ts";
import { openSource, type PhotoSource } from "./photo-source.ts";

/** Photos in memory at once; a larger one goes alone. In whole MiB: the semaphore counts them one by one. */
const maxMebibytesInHand = 512;

/** Captioned just now; the same photo as another one of this run; or captioned by an earlier run. */
export type CaptionOrigin = "new" | "copy" | "earlier";

/** A photo that has its caption, from this run or an earlier one. */
export interface FinishedPhoto {
  path: string;
  file: string;
  result: CaptionResult;
  origin: CaptionOrigin;
  /** Whether it is at an address, and has not changed since it was read there. */
  isUnread: boolean;
  thumbnail?: string;
}

export type SchedulerOutcome =
  | ({ kind: "captioned" } & FinishedPhoto)
  | { kind: "failed"; path: string; error: string; isHeicRefused?: boolean }
  /** Beyond `limit`. */
  | { kind: "left"; path: string }
  /** The run cannot continue. */
  | { kind: "fatal"; error: unknown };

export interface ScheduledRun {
  backend: CaptionBackend;
  /** Undefined: nothing is remembered. */
  state: StateFile | undefined;
  /** Writes photos while others are read. */
  files?: Pick<FileReplacer, "tidy" | "readWhole"> | undefined;
  /** Reads the photos at addresses; undefined if none can be among them. */
  remote?: RemotePhotos | undefined;
  options: SearchOptions;
  /** Reads the JPEG in a raw photo; undefined if there are none. */
  previewOf?: ((file: string) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  /** The folder that relative paths start from. */
  folder: string;
  /** The most photos to caption anew. */
  limit?: number | undefined;
  /** Aborted: no further photo is begun. */
  signal: AbortSignal;
  /** Makes a photo's thumbnail, where an output wants one. */
  thumbnailOf?: ((result: CaptionResult, read: () => Promise<Uint8Array>) => Promise<string | undefined>) | undefined;
}

/**
 * Captions photos, several at a time, and yields the outcomes in the order of the photos. A caption comes from the state
 * where it has one, and is remembered there before it is yielded otherwise.
 */
export function captionPhotos(photos: Iterable<FoundPhoto>, run: ScheduledRun): AsyncIterable<SchedulerOutcome> {
  const scheduler = new Scheduler(run);
  const { atOnce } = run.backend;
  return pMapIterable(
    photos,
    async (photo) => (scheduler.isOver ? pMapStop : scheduler.outcomeOf(photo)),
    { concurrency: atOnce, backpressure: 4 * atOnce }, // a slow photo at the head of the order does not hold up the others
  );
}

interface PhotoToCaption {
  path: string;
  source: PhotoSource;
  turn: Turn;
}

/** What is captioned of a photo: its file, or the preview in a raw one. */
interface Picture {
  show: () => Promise<Uint8Array<ArrayBuffer>>;
  hasPreview: boolean;
}

/** A photo's turn to be decided on, after the photos before it. */
interface Turn {
  begins: Promise<void>;
  /** Lets the next photo be decided on. */
  end(): void;
}

class Scheduler {
  readonly #run: ScheduledRun;
  readonly #memory = new Semaphore(maxMebibytesInHand);
  /** Results on their way by photo key: the same photo twice is captioned once. */
  readonly #underWay = new Map<string, Promise<CaptionResult>>();
  /** Keys of the photos that this run has captioned. */
  readonly #captioned = new Set<string>();
  #begun = 0;
  #previousTurn: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(run: ScheduledRun) {
    this.#run = run;
  }

  get isOver(): boolean {
    return this.#isBroken || this.#run.signal.aborted;
  }

  get #isAtLimit(): boolean {
    return this.#begun >= (this.#run.limit ?? Number.POSITIVE_INFINITY);
  }

  async outcomeOf(photo: FoundPhoto): Promise<SchedulerOutcome> {
    const { path } = photo;
    if ("error" in photo) return { kind: "failed", path, error: photo.error };
    const turn = this.#takeTurn();
    try {
      await turn.begins;
      const { folder, state, files, remote, backend, options } = this.#run;
      const maker = { revision: backend.model.revision, options };
      const source = await openSource(photo, { folder, state, files, remote, maker });
      const weight = Math.min(Math.ceil((source.mostBytes + 1) / 2 ** 20), maxMebibytesInHand);
      return await this.#memory.runExclusive(() => this.#caption({ path, source, turn }), weight);
    } catch (error) {
      const isItsOwn = error instanceof CaptionError || error instanceof UnfitForCaption;
      const reason = isItsOwn ? error.message : unfitReason(error);
      if (reason !== undefined) {
        return { kind: "failed", path, error: reason, isHeicRefused: error instanceof HeicRefused };
      }
      this.#isBroken = true;
      return { kind: "fatal", error };
    } finally {
      turn.end();
    }
  }

  /** With a limit, photos are decided on in their order; without one, none waits. */
  #takeTurn(): Turn {
    if (this.#run.limit === undefined) return { begins: Promise.resolve(), end() {} };
    const begins = this.#previousTurn;
    let end = () => {};
    this.#previousTurn = new Promise((resolve) => {
      end = resolve;
    });
    return { begins, end };
  }

  async #caption({ path, source, turn }: PhotoToCaption): Promise<SchedulerOutcome> {
    const { state, options, backend, thumbnailOf, previewOf } = this.#run;
    const read = () => source.read();
    const hasPreview = previewOf !== undefined && !source.isRemote && isRawPhoto(source.file);
    const show = hasPreview ? photoReader(source.file, { readWhole: previewOf }) : read;
    const known = await source.knownIds();
    if (known === undefined && source.isRemote && this.#isAtLimit) return { kind: "left", path }; // unread: it may be far
    const ids = known ?? (await photoIdsOf(await read()));
    const remembered = await state?.find(ids, { revision: backend.model.revision, options });
    const origin: CaptionOrigin = this.#captioned.has(photoKeyOf(ids)) ? "copy" : "earlier";
    const captioning = remembered ? { result: remembered, origin } : this.#captionOnce(ids, { show, hasPreview });
    turn.end();
    const found = await captioning;
    if (found === undefined) return { kind: "left", path };
    if (known === undefined) await source.remember(ids);
    const result = asFoundNow(found.result, { ids, bytes: source.bytes() });
    const thumbnail = await thumbnailOf?.(result, show);
    const isUnread = known !== undefined && source.isRemote;
    const finished = { path, file: source.file, result, origin: found.origin, isUnread };
    return { kind: "captioned", ...finished, ...(thumbnail === undefined ? {} : { thumbnail }) };
  }

  /** Resolves to undefined beyond the limit. */
  async #captionOnce(
    ids: PhotoIds,
    picture: Picture,
  ): Promise<{ result: CaptionResult; origin: CaptionOrigin } | undefined> {
    const key = photoKeyOf(ids);
    const other = this.#underWay.get(key);
    if (other !== undefined) return { result: await other, origin: "copy" };
    if (this.#isAtLimit) return undefined;
    this.#begun += 1;
    const own = this.#captionAnew(ids, picture);
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

  async #captionAnew(ids: PhotoIds, { show, hasPreview }: Picture): Promise<CaptionResult> {
    const { backend, options, state } = this.#run;
    const shownIds = hasPreview && backend.lookUp !== undefined ? await photoIdsOf(await show()) : ids;
    const caption = (await backend.lookUp?.(shownIds)) ?? (await backend.caption({ bytes: await show(), options }));
    const result = captionResultSchema.parse({ ...caption, ...ids }); // fields in the order in which a state returns them
    await state?.remember(result);
    this.#captioned.add(photoKeyOf(ids));
    return result;
  }
}

/** Gives a remembered result the ids and the size that its file has now; without a content id it keeps those it had. */
function asFoundNow(result: CaptionResult, { ids, bytes }: { ids: PhotoIds; bytes: number }): CaptionResult {
  return ids.contentId === undefined ? result : { ...result, ...ids, image: { ...result.image, bytes } };
}
