import { captionAll } from "../../shared/caption-all.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError, errorFacts } from "../../shared/errors.ts";
import type { Announcer } from "./announcer.ts";
import { asPercent } from "./format.ts";
import type { History } from "./history.ts";
import type { KeyField } from "./key-field.ts";
import type { Preferences } from "./preferences.ts";
import { preparePhoto } from "./prepare-photo.ts";
import type { CaptionedState, PhotoState, Wall, WallPhoto } from "./wall.ts";

/** Photos that are prepared and looked up together: the first captions arrive while later photos are still being prepared. */
const batchSize = 8;

interface CaptionQueueParts {
  key: KeyField;
  wall: Wall;
  history: History;
  announcer: Announcer;
  preferences: () => Preferences;
}

interface Job {
  photo: WallPhoto;
  picture: Blob | undefined;
  /** Time when it was last looked up or uploaded. */
  askedAtMs: number;
}

/** Captions the waiting photos, batch by batch. */
export class CaptionQueue {
  readonly #parts: CaptionQueueParts;
  readonly #waiting: string[] = [];
  #isRunning = false;

  constructor(parts: CaptionQueueParts) {
    this.#parts = parts;
    addEventListener("online", () => this.#resume());
  }

  add(keys: readonly string[]): void {
    this.#waiting.push(...keys);
    void this.#run();
  }

  retry(key: string): void {
    this.#parts.wall.setState(key, { step: "waiting" });
    this.add([key]);
  }

  /** Retries photos that were refused because a key was missing. */
  retryRefused(): void {
    for (const { key, state } of this.#parts.wall.photos) {
      if (state.step === "failed" && state.code === "unauthorized") this.retry(key);
    }
  }

  /** Retries photos that failed because there was no connection. */
  #resume(): void {
    for (const { key, state } of this.#parts.wall.photos) {
      if (state.step === "failed" && state.code === "upstream_error" && state.requestId === undefined) this.retry(key);
    }
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#waiting.length > 0 && navigator.onLine) {
        const keys = this.#waiting.splice(0, batchSize);
        await this.#captionBatch(keys.flatMap((key) => this.#parts.wall.find(key) ?? []));
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #captionBatch(photos: readonly WallPhoto[]): Promise<void> {
    const links = photos.map((photo) => this.#captionLink(photo));
    const files = await this.#prepare(photos);
    for (const job of files.values()) job.askedAtMs = performance.now();
    const { key, wall } = this.#parts;
    const onUpload = (upload: Blob) => {
      const job = files.get(upload);
      if (job === undefined) return;
      job.askedAtMs = performance.now();
      wall.setState(job.photo.key, { step: "captioning" });
    };
    for await (const outcome of captionAll(key.client, files.keys(), { onUpload, ...this.#options() })) {
      const job = files.get(outcome.photo);
      if (job === undefined) continue;
      if ("error" in outcome) this.#fail(job.photo, outcome.error);
      else this.#finish(job, outcome);
    }
    await Promise.all(links);
  }

  /** Prepares photos for their cards and for upload, one at a time: a camera photo takes 50 MB decoded. Returns jobs by upload. */
  async #prepare(photos: readonly WallPhoto[]): Promise<Map<Blob, Job>> {
    const jobs = new Map<Blob, Job>();
    for (const photo of photos) {
      if (!("file" in photo.origin)) continue;
      this.#parts.wall.setState(photo.key, { step: "looking up" });
      try {
        const { upload, picture } = await preparePhoto(photo.origin.file, this.#parts.preferences());
        this.#parts.wall.setPicture(photo.key, picture && URL.createObjectURL(picture));
        jobs.set(upload, { photo, picture, askedAtMs: performance.now() });
      } catch (error) {
        this.#fail(photo, error);
      }
    }
    return jobs;
  }

  async #captionLink(photo: WallPhoto): Promise<void> {
    if (!("address" in photo.origin)) return;
    const job = { photo, picture: undefined, askedAtMs: performance.now() };
    this.#parts.wall.setState(photo.key, { step: "captioning" });
    try {
      this.#finish(job, await this.#parts.key.client.captionAt(photo.origin.address, this.#options()));
    } catch (error) {
      this.#fail(photo, error);
    }
  }

  #options() {
    const { beam, candidates, maxWords, isSentence, isNeutral, hasKeywords } = this.#parts.preferences();
    return {
      beam: Math.max(beam, candidates),
      candidates,
      maxWords,
      style: isSentence ? ("sentence" as const) : undefined,
      neutral: isNeutral || undefined,
      keywords: hasKeywords || undefined,
      onRetry: ({ message }: CaptionError, waitSeconds: number) => {
        const news = `${sentence(message)} Trying again in ${Math.ceil(waitSeconds)}\u00a0s.`;
        this.#parts.announcer.show(news, { forMs: waitSeconds * 1000 });
      },
    };
  }

  #finish({ photo, picture, askedAtMs }: Job, { result, isHit }: { result: CaptionResult; isHit: boolean }): void {
    const state: CaptionedState = { step: "captioned", result, isHit, elapsedMs: performance.now() - askedAtMs };
    const { wall, announcer, history } = this.#parts;
    if (wall.find(photo.key) === undefined) return; // removed in the meantime
    wall.setState(photo.key, state);
    announcer.say(`${photo.name}: ${result.caption}, ${asPercent(result.confidence)} sure.`);
    void history.store(photo, { state, picture }).catch(() => undefined); // this browser keeps no history, which the page says
  }

  #fail({ key, name }: WallPhoto, error: unknown): void {
    const state = failureOf(error);
    this.#parts.wall.setState(key, state);
    this.#parts.announcer.say(`${name} could not be captioned: ${state.message}`);
  }
}

function failureOf(error: unknown): Extract<PhotoState, { step: "failed" }> {
  if (error instanceof CaptionError) {
    const { code, message, requestId } = error;
    return {
      step: "failed",
      code,
      message: sentence(message),
      requestId,
      isWorthRetrying: errorFacts[code].retry !== "never",
    };
  }
  return { step: "failed", message: "The file could not be read; it may have been moved.", isWorthRetrying: true };
}

/** Turns a problem's detail into a sentence: details begin in lower case and end without a full stop, like log lines. */
function sentence(detail: string): string {
  return `${detail.slice(0, 1).toUpperCase()}${detail.slice(1)}.`;
}
