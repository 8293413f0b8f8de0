import type { CaptionResult } from "../../shared/contract.ts";

/** Source of a photo's bytes; those of an earlier visit are gone. */
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
  /** Time from the request to its answer, as this browser saw it. */
  elapsedMs: number;
}

export interface WallPhoto {
  key: string;
  name: string;
  origin: PhotoOrigin;
  addedAtMs: number;
  /** Address of a picture for the card; undefined if the browser cannot show one. */
  picture: string | undefined;
  state: PhotoState;
}

/** The photos that the page shows, newest first. Listeners are called when they change. */
export class Wall {
  #photos: readonly WallPhoto[] = [];
  readonly #listeners: (() => void)[] = [];

  get photos(): readonly WallPhoto[] {
    return this.#photos;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Adds new photos before all others, in their order. */
  prepend(photos: readonly WallPhoto[]): void {
    this.#replace([...photos, ...this.#photos]);
  }

  /** Adds photos of an earlier visit after all others. */
  append(photos: readonly WallPhoto[]): void {
    this.#replace([...this.#photos, ...photos]);
  }

  find(key: string): WallPhoto | undefined {
    return this.#photos.find((photo) => photo.key === key);
  }

  setState(key: string, state: PhotoState): void {
    this.#change(key, { state });
  }

  /** Replaces a photo's picture and frees the former one's memory. */
  setPicture(key: string, picture: string | undefined): void {
    releasePicture(this.find(key));
    this.#change(key, { picture });
  }

  remove(key: string): void {
    releasePicture(this.find(key));
    this.#replace(this.#photos.filter((photo) => photo.key !== key));
  }

  clear(): void {
    for (const photo of this.#photos) releasePicture(photo);
    this.#replace([]);
  }

  #change(key: string, change: Partial<WallPhoto>): void {
    this.#replace(this.#photos.map((photo) => (photo.key === key ? { ...photo, ...change } : photo)));
  }

  #replace(photos: readonly WallPhoto[]): void {
    this.#photos = photos;
    for (const listener of this.#listeners) listener();
  }
}

function releasePicture(photo: WallPhoto | undefined): void {
  if (photo?.picture !== undefined) URL.revokeObjectURL(photo.picture);
}
