import type { Candidate, CaptionResult } from "../../shared/contract.ts";

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
  /** What the visitor has put in the best caption's place: another candidate, or words of their own. */
  correction?: string | undefined;
}

/** Returns the caption to show and to copy: the visitor's, or else the model's best. */
export function captionOf({ result, correction }: CaptionedState): string {
  return correction ?? result.caption;
}

/** Returns the candidate that is shown as the caption; undefined for the visitor's own words. */
export function shownCandidate(state: CaptionedState): Candidate | undefined {
  return state.result.candidates.find(({ caption }) => caption === captionOf(state));
}

/** Returns the candidates that could take the caption's place, best first. */
export function otherCandidates(state: CaptionedState): Candidate[] {
  return state.result.candidates.filter(({ caption }) => caption !== captionOf(state));
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
  #editedKey: string | undefined;
  readonly #listeners: (() => void)[] = [];

  get photos(): readonly WallPhoto[] {
    return this.#photos;
  }

  /** Key of the photo whose caption is being edited. */
  get editedKey(): string | undefined {
    return this.#editedKey;
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

  /** Opens the editor of one caption, and closes any other. */
  edit(key: string | undefined): void {
    this.#editedKey = key;
    this.#notify();
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
    if (this.#editedKey === key) this.#editedKey = undefined;
    this.#replace(this.#photos.filter((photo) => photo.key !== key));
  }

  clear(): void {
    for (const photo of this.#photos) releasePicture(photo);
    this.#editedKey = undefined;
    this.#replace([]);
  }

  #change(key: string, change: Partial<WallPhoto>): void {
    this.#replace(this.#photos.map((photo) => (photo.key === key ? { ...photo, ...change } : photo)));
  }

  #replace(photos: readonly WallPhoto[]): void {
    this.#photos = photos;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function releasePicture(photo: WallPhoto | undefined): void {
  if (photo?.picture !== undefined) URL.revokeObjectURL(photo.picture);
}
