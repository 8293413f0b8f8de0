import { expectExifTool } from "../../files/exiftool.ts";
import { findPhotos } from "../../files/find/find-photos.ts";
import { PassedOver } from "../../files/find/passed-over.ts";
import { readPathList } from "../../files/find/read-path-list.ts";
import type { FoundPhoto } from "../../files/find/walk-folder.ts";
import type { CaptionOptions } from "../../shared/contract.ts";
import { say } from "../../terminal/progress.ts";
import { endOnSignal, Interrupted, untilAborted } from "../../terminal/signals.ts";
import { showSpinner } from "../../terminal/spinner.ts";
import { type Gallery, streamedGallery } from "../gallery/gallery-file.ts";
import { streamedTable } from "../outputs/csv-file.ts";
import { type OutputRequest, openOutputs } from "../outputs/open-outputs.ts";
import type { Listing } from "../outputs/output.ts";
import { standardOutput } from "../outputs/output-stream.ts";
import { printedCaptions, printedJson } from "../outputs/standard-output.ts";
import { CaptionState } from "../state/caption-state.ts";
import { namedFolders, titleOf } from "../state/state-path.ts";
import type { CaptionSource } from "./caption-source.ts";
import { PhotoCounts } from "./counts.ts";
import { type ConfidenceLimit, runCaptions } from "./run-captions.ts";
import { RunProgress } from "./run-progress.ts";

/** What an interrupted run may take for the photos in hand: whoever reads its output, or an endpoint, may have stopped answering. */
const endWithinMs = 30_000;

export interface SearchRequest {
  paths: readonly string[];
  /** Of the list that `-` stands for. */
  isNulSeparated: boolean;
  /** What relative paths start from. */
  folder: string;
  /** Only photos changed since then. */
  sinceMs?: number | undefined;
}

export interface CaptionRequest extends SearchRequest {
  options: CaptionOptions;
  outputs: OutputRequest;
  /** Absolute; undefined: nothing is remembered, and there are no outputs but standard output. */
  statePath: string | undefined;
  /** Whether what others wrote into the state is believed. */
  trustsState: boolean;
  prints: "captions" | "json" | "table" | "gallery" | "nothing";
  showsProgress: boolean;
  /** Only what fails is told. */
  isQuiet: boolean;
  confidence?: ConfidenceLimit | undefined;
  limit?: number | undefined;
  /** What the start of the source is called while it lasts; undefined: nothing is told. */
  waitingFor: string | undefined;
  startSource(): Promise<CaptionSource>;
  /** Of the model that the source has, without starting it. */
  readRevision(): Promise<string>;
}

/** `edge-caption caption`: finds the photos, captions those that have none and writes what was asked for. */
export async function captionPaths(request: CaptionRequest): Promise<PhotoCounts> {
  const { photos, passedOver } = await findAll(request);
  const tellPassedOver = () => {
    const sentence = request.isQuiet ? undefined : passedOver.describe();
    if (sentence !== undefined) say(sentence);
  };
  if (photos.every((photo) => "error" in photo)) {
    const counts = failAll(photos);
    tellPassedOver();
    return counts;
  }
  const ending = new AbortController();
  endOnSignal(ending, { withinMs: endWithinMs });
  const { statePath, trustsState: trusts, outputs } = request;
  if (outputs.xmp || outputs.embed) await expectExifTool();
  const state = statePath === undefined ? undefined : await CaptionState.open(statePath, { trusts });
  try {
    const roots = namedFolders({ ...request, photos });
    const { signal } = ending;
    const opened = state && (await openOutputs(outputs, { state, title: titleOf(request), roots, signal }));
    const source = await startSource(request, signal).catch(async (error: unknown) => {
      await Promise.allSettled((opened?.listings ?? []).map((listing) => listing.end({ isComplete: false })));
      throw error;
    });
    if (request.showsProgress) say(describeModel(source));
    const printed = await printedAs(request, photos);
    const words = { doing: "captioning", captioned: "captioned" };
    const shown = new RunProgress({ words, total: photos.length, isShown: request.showsProgress });
    try {
      const counts = await runCaptions(photos, {
        ...request,
        source,
        state,
        files: opened?.files,
        signal,
        listings: [printed, ...(opened?.listings ?? [])].filter((listing) => listing !== undefined),
        writers: opened?.writers ?? [],
        thumbnailOf: opened?.thumbnailOf ?? printed?.thumbnailOf,
        tell: shown.tell,
      });
      if (ending.signal.aborted) throw new Interrupted("interrupted");
      return counts;
    } finally {
      shown.end();
      tellPassedOver();
      await Promise.all([source.close(), opened?.close()]);
    }
  } finally {
    await state?.close();
  }
}

/** What goes to standard output. */
async function printedAs(
  request: CaptionRequest,
  photos: readonly FoundPhoto[],
): Promise<(Listing & Partial<Pick<Gallery, "thumbnailOf">>) | undefined> {
  if (request.prints === "captions") return printedCaptions({ isAlone: photos.length === 1 });
  if (request.prints === "json") return printedJson();
  if (request.prints === "table") return streamedTable(standardOutput());
  return request.prints === "gallery"
    ? streamedGallery(standardOutput(), { title: titleOf(request), folder: request.folder })
    : undefined;
}

/** Waits for the model or the endpoint, not beyond an interruption: nothing is in hand yet. */
async function startSource(request: CaptionRequest, signal: AbortSignal): Promise<CaptionSource> {
  const hideWaiting = request.waitingFor === undefined ? () => {} : showSpinner(request.waitingFor);
  const interrupted = untilAborted(signal).then(() => Promise.reject(new Interrupted("interrupted")));
  return Promise.race([request.startSource(), interrupted]).finally(hideWaiting);
}

function describeModel({ model: { id, revision, precision } }: CaptionSource): string {
  return `model ${id}, revision ${revision}, ${precision}`;
}

/** The photos at the places that were named, those of a list on standard input included, and what was left out there. */
export async function findAll(search: SearchRequest): Promise<{ photos: FoundPhoto[]; passedOver: PassedOver }> {
  const { paths, isNulSeparated, folder, sinceMs } = search;
  const passedOver = new PassedOver();
  const places = async function* () {
    for (const path of paths) {
      if (path === "-") yield* readPathList(process.stdin, { isNulSeparated });
      else yield path;
    }
  };
  const photos: FoundPhoto[] = [];
  for await (const photo of findPhotos(places(), { folder, sinceMs, passedOver })) photos.push(photo);
  return { photos, passedOver };
}

/** Without a photo there is no reason to load a model. */
function failAll(photos: readonly FoundPhoto[]): PhotoCounts {
  const counts = new PhotoCounts();
  for (const photo of photos) {
    counts.failed += 1;
    if ("error" in photo) say(`${photo.path}: ${photo.error}`);
  }
  if (photos.length === 0) say("no photo found");
  return counts;
}
