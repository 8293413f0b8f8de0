import { expectExifTool, Metadata } from "../../files/exiftool.ts";
import { findAllPhotos, type SearchRequest } from "../../files/find/find-photos.ts";
import type { FoundPhoto } from "../../files/find/search-result.ts";
import { RawPreviews } from "../../files/raw-preview.ts";
import { isAddress } from "../../files/remote/address.ts";
import type { FormOptions, SearchOptions } from "../../shared/caption-options.ts";
import { say, showSpinner } from "../../terminal/progress.ts";
import { endOnSignal, Interrupted, untilAborted } from "../../terminal/run-program.ts";
import { openJsonlFile } from "../outputs/jsonl-file.ts";
import { type OutputRequest, openOutputs } from "../outputs/open-outputs.ts";
import { openStandardOutput, type PrintedForm } from "../outputs/standard-output.ts";
import { StateFile } from "../state/state-file.ts";
import { namedFolders, titleOf } from "../state/state-path.ts";
import type { CaptionBackend } from "./backend.ts";
import { type ConfidenceLimit, runPipeline } from "./pipeline.ts";
import { PhotoCounts, RunProgress } from "./run-progress.ts";

/** Time for an interrupted run to finish the photos in hand: a reader of its output, or an endpoint, may have stopped answering. */
const endWithinMs = 30_000;

export interface CaptionRequest extends SearchRequest {
  options: SearchOptions;
  form: FormOptions;
  outputs: OutputRequest;
  /** Absolute path; undefined where nothing is remembered, and standard output is the only output. */
  statePath: string | undefined;
  /** Whether to believe what others wrote into the state. */
  trustsState: boolean;
  prints: PrintedForm;
  showsProgress: boolean;
  /** Whether only failures are reported. */
  isQuiet: boolean;
  confidence?: ConfidenceLimit | undefined;
  limit?: number | undefined;
  /** Text to show while the backend starts; undefined for none. */
  waitingFor: string | undefined;
  startBackend(): Promise<CaptionBackend>;
  /** Reads the revision of the backend's model without starting it. */
  readRevision(): Promise<string>;
}

/** Runs `edge-caption caption`: finds the photos, captions those that have none and writes the outputs that were asked for. */
export async function runCaption(request: CaptionRequest): Promise<PhotoCounts> {
  const isFar = request.paths.some(isAddress) && !request.isQuiet;
  const hideSpinner = isFar ? showSpinner("listing the photos…") : () => {};
  const { photos, passedOver } = await findAllPhotos({ ...request, takesRaw: true }).finally(hideSpinner);
  expectFilesFor(request.outputs, photos);
  const notFound = photos.filter((photo) => "error" in photo).length;
  const reportPassedOver = () => {
    const sentence = request.isQuiet ? undefined : passedOver.describe();
    if (sentence !== undefined) say(sentence);
  };
  if (notFound === photos.length) {
    const counts = failAll(photos);
    if (request.shard !== undefined && photos.length === 0) await beginPart(request.outputs);
    reportPassedOver();
    return counts;
  }
  const ending = new AbortController();
  endOnSignal(ending, { withinMs: endWithinMs });
  const { statePath, trustsState: trusts, outputs } = request;
  if (outputs.xmp || outputs.embed) await expectExifTool();
  const state = statePath === undefined ? undefined : await StateFile.open(statePath, { trusts });
  try {
    const roots = namedFolders({ ...request, photos });
    const { signal } = ending;
    const opened = state && (await openOutputs(outputs, { state, title: titleOf(request), roots, signal }));
    const backend = await startBackend(request, signal).catch(async (error: unknown) => {
      await Promise.allSettled((opened?.listings ?? []).map((listing) => listing.end({ isComplete: false })));
      throw error;
    });
    if (request.showsProgress) say(describeModel(backend));
    const printed = await openStandardOutput(request.prints, {
      isAlone: photos.length === 1,
      title: titleOf(request),
      folder: request.folder,
    });
    const words = { doing: "captioning", captioned: "captioned" };
    const metadata = new Metadata();
    const previews = new RawPreviews(metadata);
    const progress = new RunProgress({ words, total: photos.length, isShown: request.showsProgress });
    try {
      const counts = await runPipeline(photos, {
        ...request,
        backend,
        state,
        files: opened?.files,
        previewOf: (file) => previews.read(file),
        signal,
        listings: [printed, ...(opened?.listings ?? [])].filter((listing) => listing !== undefined),
        writers: opened?.writers ?? [],
        thumbnailOf: opened?.thumbnailOf ?? printed?.thumbnailOf,
        report: progress.report,
      });
      if (ending.signal.aborted) throw new Interrupted("interrupted");
      counts.notFound = notFound;
      return counts;
    } finally {
      progress.end();
      reportPassedOver();
      await Promise.all([backend.close(), opened?.close(), metadata.close()]);
    }
  } finally {
    await state?.close();
  }
}

/** Refuses outputs beside photos that are not on a disk of this machine, before anything is captioned. */
function expectFilesFor({ txt, xmp, embed }: OutputRequest, photos: readonly FoundPhoto[]): void {
  const remote = photos.find((photo) => "remote" in photo);
  if (remote === undefined || !(txt || xmp || embed)) return;
  throw new Error(
    `${remote.path}: --txt, --xmp and --embed write beside photos on this machine: use --jsonl, --csv or --html`,
  );
}

/** Makes the part of a shard that has no photo to caption, which `edge-caption join` looks for. */
async function beginPart({ jsonl }: OutputRequest): Promise<void> {
  if (jsonl === undefined) return;
  const listing = await openJsonlFile(jsonl, { signal: new AbortController().signal });
  await listing.end({ isComplete: true });
}

/** Starts the model or the endpoint. An interruption ends the wait at once: no photo is in hand yet. */
async function startBackend(request: CaptionRequest, signal: AbortSignal): Promise<CaptionBackend> {
  const hideSpinner = request.waitingFor === undefined ? () => {} : showSpinner(request.waitingFor);
  const interrupted = untilAborted(signal).then(() => Promise.reject(new Interrupted("interrupted")));
  return Promise.race([request.startBackend(), interrupted]).finally(hideSpinner);
}

function describeModel({ model: { id, revision, precision } }: CaptionBackend): string {
  return `model ${id}, revision ${revision}, ${precision}`;
}

/** Reports that no photo can be captioned, without loading a model. */
function failAll(photos: readonly FoundPhoto[]): PhotoCounts {
  const counts = new PhotoCounts();
  for (const photo of photos) {
    counts.failed += 1;
    counts.notFound += 1;
    if ("error" in photo) say(`${photo.path}: ${photo.error}`);
  }
  if (photos.length === 0) say("no photo found");
  return counts;
}
