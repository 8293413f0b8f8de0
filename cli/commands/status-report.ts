import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { PassedOver } from "../../files/find/search-result.ts";
import { terminalText } from "../../shared/terminal-text.ts";
import type { PhotoStatus } from "../state/photo-status.ts";

/** `older` is captioned by another model; `failed` cannot be read. */
type Standing = "captioned" | "older" | "missing" | "failed";

class Counts {
  photos = 0;
  captioned = 0;
  older = 0;
  missing = 0;
  failed = 0;

  add(standing: Standing): void {
    this.photos += 1;
    this[standing] += 1;
  }
}

/** Counts, by folder, the photos that one model has captioned. */
export class StatusReport {
  readonly #revision: string;
  readonly total = new Counts();
  /** Counts by folder, without the folders below it. */
  readonly folders = new Map<string, Counts>();
  corrected = 0;
  #confidences = 0;

  constructor(revision: string) {
    this.#revision = revision;
  }

  /** The mean over captions by this model; undefined without one. */
  get meanConfidence(): number | undefined {
    return this.total.captioned === 0 ? undefined : this.#confidences / this.total.captioned;
  }

  add(photo: PhotoStatus): Standing {
    const standing = this.#standingOf(photo);
    const folder = dirname(photo.path);
    const counts = this.folders.get(folder) ?? new Counts();
    this.folders.set(folder, counts);
    counts.add(standing);
    this.total.add(standing);
    if ("key" in photo && photo.isCorrected) this.corrected += 1;
    if ("key" in photo && standing === "captioned") this.#confidences += photo.last?.confidence ?? 0;
    return standing;
  }

  toJson(): object {
    const { total, corrected, meanConfidence } = this;
    const folders = [...this.folders].map(([folder, counts]) => ({ folder, ...counts }));
    return { revision: this.#revision, ...total, corrected, meanConfidence, folders };
  }

  #standingOf(photo: PhotoStatus): Standing {
    if ("error" in photo) return "failed";
    if (photo.last === undefined) return "missing";
    return photo.last.revision === this.#revision ? "captioned" : "older";
  }
}

/** Describes the total, and the folders in which something is left. */
export function describeStatus(
  report: StatusReport,
  { statePath, passedOver }: { statePath: string; passedOver: PassedOver },
): string {
  const leftOut = passedOver.describe();
  const { total, corrected, meanConfidence, folders } = report;
  const share = total.photos === 0 ? 0 : Math.floor((100 * total.captioned) / total.photos);
  const lines = [
    `${total.captioned} of ${total.photos} photos captioned (${share} %)`,
    ...(meanConfidence === undefined ? [] : [`  mean confidence ${meanConfidence.toFixed(2)}`]),
    ...(corrected === 0 ? [] : [`  ${corrected} corrected by a person`]),
    ...(total.older === 0 ? [] : [`  ${total.older} captioned by another model`]),
    ...(total.missing === 0 ? [] : [`  ${total.missing} without a caption`]),
    ...(total.failed === 0 ? [] : [`  ${total.failed} that cannot be read`]),
    ...(leftOut === undefined ? [] : [`  ${leftOut}`]),
    `  by ${statePath}${existsSync(statePath) ? "" : ", which is not there"}`,
  ];
  const unfinished = [...folders].filter(([, counts]) => counts.captioned < counts.photos);
  if (folders.size > 1 && unfinished.length > 0) {
    const rows = unfinished.map(([folder, { captioned, photos }]) => `  ${captioned} of ${photos}  ${folder}`);
    lines.push("", "Folders where something is left:", ...rows);
  }
  return `${lines.map(terminalText).join("\n")}\n`;
}
