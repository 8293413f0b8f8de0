import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pMapIterable } from "p-map";
import { fromPathText, toDiskPath } from "../../files/disk-path.ts";
import { expectExifTool } from "../../files/exiftool.ts";
import { isLastingFileError, UnfitForCaption } from "../../files/file-error.ts";
import { FileReplacer } from "../../files/file-replacer.ts";
import { isRawPhoto } from "../../files/raw-preview.ts";
import { readCsv } from "../../files/read-csv.ts";
import { photoReader, unfitReason } from "../../files/read-photo-file.ts";
import { CaptionError } from "../../shared/errors.ts";
import { readImageFormat } from "../../shared/image-header.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { say } from "../../terminal/progress.ts";
import { writeToAll } from "../caption/pipeline.ts";
import { type EndedPhoto, PhotoCounts, RunProgress } from "../caption/run-progress.ts";
import { openWriters, type WriterRequest } from "../outputs/open-outputs.ts";
import type { CaptionToWrite } from "../outputs/output.ts";
import { StateFile } from "../state/state-file.ts";
import { photoKeyOf } from "../state/state-index.ts";

const rowsAtOnce = 4;

export interface ApplyRequest extends WriterRequest {
  /** Absolute path, or `-` for standard input. */
  csvPath: string;
  /** Undefined where there is none, and nothing is remembered. */
  statePath: string | undefined;
  /** Whether to believe what others wrote into the state. */
  trustsState: boolean;
  /** The folder that relative paths in the table start from. */
  root: string;
  /** Whether to write also captions that nobody changed. */
  all: boolean;
  showsProgress: boolean;
}

type Row = Record<string, string>;
type KnownCaptions = Omit<
  StateFile,
  "find" | "has" | "remember" | "rememberFile" | "rememberForm" | "objectAt" | "rememberObject"
>;

/** Runs `edge-caption apply`: writes the captions that a person changed to the outputs that were asked for, and remembers them. */
export async function applyCorrections(request: ApplyRequest): Promise<PhotoCounts> {
  const { csvPath, statePath, showsProgress } = request;
  const { rows, encoding } = await readCsv(csvPath, { needs: ["path", "caption"] });
  if (request.xmp || request.embed) await expectExifTool();
  if (showsProgress) say(describeState(request));
  if (showsProgress && encoding === "windows-1252") say("the table is read as Windows-1252, as Excel saves it");
  const trusts = request.trustsState;
  const state = statePath === undefined ? emptyState : await StateFile.open(statePath, { trusts });
  const files = new FileReplacer();
  const folders = rows.map(({ path = "" }) => dirname(resolve(request.root, fromPathText(path))));
  const { writers, close } = openWriters(request, { files, state, roots: [...new Set([request.root, ...folders])] });
  const words = { doing: "applying", captioned: "applied", skipped: "left as they were" };
  const progress = new RunProgress({ words, total: rows.length, isShown: showsProgress });
  const counts = new PhotoCounts();
  const apply = async (row: Row): Promise<EndedPhoto | { kind: "fatal"; error: unknown }> => {
    const { path = "" } = row;
    try {
      const correction = await readCorrection(row, { ...request, state, files });
      const outcomes = correction && (await writeToAll(correction, writers, counts));
      const hasTakenWork = outcomes?.has("written") ?? false;
      const kind = correction?.caption === "" ? "cleared" : "captioned";
      return { kind: hasTakenWork ? kind : "skipped", path, hasTakenWork };
    } catch (error) {
      const isItsOwn = error instanceof CaptionError || error instanceof UnfitForCaption;
      const reason = isItsOwn ? error.message : unfitReason(error);
      if (reason === undefined || isLastingFileError(error)) return { kind: "fatal", error };
      return { kind: "failed", path, error: reason, hasTakenWork: false };
    }
  };
  try {
    for await (const ended of pMapIterable(rows, apply, { concurrency: rowsAtOnce })) {
      if (ended.kind === "fatal") throw ended.error;
      counts[ended.kind] += 1;
      progress.report(ended, counts);
    }
    return counts;
  } finally {
    progress.end();
    await close();
    await state.close();
  }
}

/** Returns the path of a photo that a table names, in which a name that is not UTF-8 may be escaped. */
async function findFile(path: string): Promise<string> {
  const isThere = await stat(path).catch(() => undefined);
  return isThere ? path : fromPathText(path);
}

/**
 * Reads the correction in a row; undefined where the caption is the model's own and `all` is not given. Throws where the photo
 * is not the one that the row was written for.
 */
async function readCorrection(
  { path = "", caption = "", id: wanted = "" }: Row,
  { root, all, state, files }: Pick<ApplyRequest, "root" | "all"> & { state: KnownCaptions; files: FileReplacer },
): Promise<CaptionToWrite | undefined> {
  const file = await findFile(resolve(root, path));
  await files.tidy(dirname(file));
  const known = state.idsOf(file, await stat(toDiskPath(file)));
  const read = photoReader(file, files); // of thousands of rows that nobody changed, no photo is read
  const photo = known ?? (await photoIdsOf(await read()));
  const last = await state.last(photo);
  if (wanted !== "" && ![photoKeyOf(photo), photo.id, last?.id].includes(wanted)) {
    throw new UnfitForCaption(`expected the photo ${wanted}, found ${photoKeyOf(photo)}: it has changed since`);
  }
  const text = caption.trim();
  const correction = state.correctionOf(photo);
  const isModels = last?.caption === text || state.hasFormed(photo, text);
  const isPersons = !isModels || correction !== undefined;
  if (!isPersons && !all) return undefined;
  const isKnown = last !== undefined || correction !== undefined;
  if (isPersons && (text !== "" || isKnown)) await state.correct(photo, text); // an empty cell alone corrects nothing
  const format = isRawPhoto(file) ? "jpeg" : readImageFormat(await read(), { allowHeic: true }); // a person may describe what is not decoded
  return {
    path,
    file,
    photo,
    format,
    caption: text,
    keywords: text === "" ? [] : undefined,
    model: isPersons ? undefined : last?.model,
    isUnsure: false,
  };
}

/** Describes where the state is, since what it knows decides what is written. */
function describeState({ statePath, root }: Pick<ApplyRequest, "statePath" | "root">): string {
  if (statePath === undefined) {
    return `no state beside the table, in ${root} or above: all captions count as corrections, and none is remembered (--state names one)`;
  }
  return existsSync(statePath) ? `state: ${statePath}` : `state: ${statePath}, which is new`;
}

/** Stands for a state where there is none. */
const emptyState: KnownCaptions = {
  idsOf: () => undefined,
  last: async () => undefined,
  correctionOf: () => undefined,
  hasSaid: () => false,
  hasFormed: () => false,
  correct: async () => {},
  carryOver: async () => {},
  close: async () => {},
};
