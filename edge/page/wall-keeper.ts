import type { Announcer } from "./announcer.ts";
import type { CaptionQueue } from "./caption-queue.ts";
import { asCsv, asHtml, download } from "./export-captions.ts";
import type { History } from "./history.ts";
import type { Intake } from "./take-photos.ts";
import type { WallActions } from "./view/wall-view.ts";
import type { CaptionedState, Wall, WallPhoto } from "./wall.ts";

/** So far apart are photos that came together, for the history to keep their order: the newest comes first. */
const orderMs = 0.001;

interface WallKeeperParts {
  wall: Wall;
  queue: CaptionQueue;
  history: History;
  announcer: Announcer;
}

/** Does what is asked of the page: hangs photos that come in and has them captioned, copies, saves and takes down. */
export class WallKeeper implements Intake, WallActions {
  readonly #parts: WallKeeperParts;

  constructor(parts: WallKeeperParts) {
    this.#parts = parts;
  }

  /** Hangs what the history holds; says in `note` where this browser keeps none. */
  async hangEarlier(note: HTMLElement): Promise<void> {
    try {
      this.#parts.wall.hangBehind(await this.#parts.history.read());
    } catch {
      note.textContent = "This browser keeps no history: the captions last as long as this page.";
    }
  }

  takeFiles = (files: readonly File[]): void => {
    const nowMs = Date.now();
    this.#hang(
      files.map((file, index) => newPhoto(file.name, { origin: { file }, addedAtMs: nowMs - index * orderMs })),
    );
  };

  takeAddress = (address: string): void => {
    const { host, pathname } = new URL(address);
    const name = pathname.slice(pathname.lastIndexOf("/") + 1);
    this.#hang([newPhoto(name === "" ? host : name, { origin: { address }, addedAtMs: Date.now() })]);
  };

  copyText = (_: WallPhoto, { result }: CaptionedState): void => void this.#copy(result.caption);

  copyHtml = (photo: WallPhoto, state: CaptionedState): void => void this.#copy(asHtml(photo, state));

  retry = ({ key }: WallPhoto): void => this.#parts.queue.retry(key);

  remove = ({ key, name }: WallPhoto): void => {
    const { wall, history, announcer } = this.#parts;
    const place = wall.photos.findIndex((photo) => photo.key === key);
    wall.remove(key);
    void history.remove(key).catch(() => undefined); // then there is no history to remove it from
    announcer.say(`${name} is removed.`);
    focusButton(".card .remove", place);
  };

  downloadCsv = (): void => download("captions.csv", asCsv(this.#parts.wall.photos));

  clear = (): void => {
    this.#parts.wall.clear();
    void this.#parts.history.clear().catch(() => undefined);
    this.#parts.announcer.say("All captions are removed.");
    document.querySelector<HTMLElement>("#choose")?.focus();
  };

  #hang(photos: readonly WallPhoto[]): void {
    if (photos.length === 0) return;
    const { wall, queue, announcer } = this.#parts;
    wall.hang(photos);
    announcer.say(photos.length === 1 ? `${photos[0]?.name} is added.` : `${photos.length} photos are added.`);
    queue.add(photos.map(({ key }) => key));
    bringIntoView("#wall");
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#parts.announcer.show(`Copied: ${text}`);
    } catch {
      this.#parts.announcer.show("The browser does not let this page write to the clipboard.");
    }
  }
}

function newPhoto(name: string, { origin, addedAtMs }: Pick<WallPhoto, "origin" | "addedAtMs">): WallPhoto {
  const isPicture = "file" in origin && origin.file.type.startsWith("image/");
  const picture = isPicture ? URL.createObjectURL(origin.file) : undefined;
  return { key: crypto.randomUUID(), name, origin, picture, addedAtMs, state: { step: "waiting" } };
}

/** On a phone the form fills the screen, and nothing would seem to happen. */
function bringIntoView(selector: string): void {
  const element = document.querySelector(selector);
  if (element === null || element.getBoundingClientRect().top < innerHeight / 2) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  element.scrollIntoView({ behavior, block: "start" });
}

/** Where a removed card had the focus, the next one takes it, or the last. */
function focusButton(selector: string, place: number): void {
  const buttons = document.querySelectorAll<HTMLElement>(selector);
  const next = buttons[Math.min(place, buttons.length - 1)] ?? document.querySelector<HTMLElement>("#choose");
  next?.focus();
}
