import type { CaptionResult } from "../../shared/contract.ts";

/** Where a photo's bytes come from; those of an earlier visit are gone. */
type PhotoOrigin = { file: File } | { address: string } | { visit: "earlier" };

export type PhotoState =
  | { step: "waiting" | "looking up" | "captioning" }
  | CaptionedState
  | { step: "failed"; message: string; code?: string; requestId?: string | undefined; isWorthRetrying: boolean };

export interface CaptionedState {
  step: "captioned";
  result: CaptionResult;
  /** Whether a cache held the caption. */
  isHit: boolean;
  /** From the question to its answer, as this browser saw it. */
  elapsedMs: number;
}

export interface WallPhoto {
  key: string;
  name: string;
  origin: PhotoOrigin;
  addedAtMs: number;
  /** Address of a picture for the card; undefined where the browser can show none. */
  picture: string | undefined;
  state: PhotoState;
}

/** The photos that the page shows, newest first, and who wants to know when they change. */
export class Wall {
  #photos: readonly WallPhoto[] = [];
  readonly #listeners: (() => void)[] = [];

  get photos(): readonly WallPhoto[] {
    return this.#photos;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Hangs photos before all others, in their order. */
  hang(photos: readonly WallPhoto[]): void {
    this.#become([...photos, ...this.#photos]);
  }

  /** Hangs photos of an earlier visit behind all others. */
  hangBehind(photos: readonly WallPhoto[]): void {
    this.#become([...this.#photos, ...photos]);
  }

  find(key: string): WallPhoto | undefined {
    return this.#photos.find((photo) => photo.key === key);
  }

  setState(key: string, state: PhotoState): void {
    this.#change(key, { state });
  }

  /** Gives the former picture's memory back. */
  setPicture(key: string, picture: string | undefined): void {
    releasePicture(this.find(key));
    this.#change(key, { picture });
  }

  remove(key: string): void {
    releasePicture(this.find(key));
    this.#become(this.#photos.filter((photo) => photo.key !== key));
  }

  clear(): void {
    for (const photo of this.#photos) releasePicture(photo);
    this.#become([]);
  }

  #change(key: string, change: Partial<WallPhoto>): void {
    this.#become(this.#photos.map((photo) => (photo.key === key ? { ...photo, ...change } : photo)));
  }

  #become(photos: readonly WallPhoto[]): void {
    this.#photos = photos;
    for (const listener of this.#listeners) listener();
  }
}

function releasePicture(photo: WallPhoto | undefined): void {
  if (photo?.picture !== undefined) URL.revokeObjectURL(photo.picture);
}
