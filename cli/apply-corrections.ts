import { resolve } from "node:path";
import { pMapIterable } from "p-map";
import { CaptionError } from "../shared/errors.ts";
import { readImageFormat } from "../shared/image-header.ts";
import { photoIdsOf } from "../shared/photo-id.ts";
import { type EndedPhoto, writeEverywhere } from "./caption-run.ts";
import { CaptionState } from "./caption-state.ts";
import { type CaptionToWrite, photoKeyOf } from "./captioned-photo.ts";
import { expectExifTool } from "./exiftool.ts";
import { FileReplacer } from "./file-replacer.ts";
import { openWriters, type WriterRequest } from "./outputs/open-outputs.ts";
import { UnfitForCaption } from "./outputs/output.ts";
import { readCsv } from "./read-csv.ts";
import { readPhotoFile, unfitReason } from "./read-photo-file.ts";
import { ShownRun } from "./show-run.ts";
import { Tally } from "./tally.ts";

const rowsAtOnce = 4;

export interface ApplyRequest extends WriterRequest {
  /** Absolute. */
  csvPath: string;
  statePath: string;
  /** What the paths in the table start from. */
  root: string;
  showsProgress: boolean;
}

type Row = Record<string, string>;

/** `edge-caption apply`: writes the captions of a table where they were asked for, and remembers those that a person changed. */
export async function applyCorrections(request: ApplyRequest): Promise<Tally> {
  const { rows } = await readCsv(request.csvPath, { needs: ["path", "caption"] });
  if (request.xmp || request.embed) await expectExifTool();
  const state = await CaptionState.open(request.statePath);
  const { writers, close } = openWriters(request, { files: new FileReplacer(), state });
  const words = { doing: "applying", done: "applied" };
  const shown = new ShownRun({ ...words, total: rows.length, isShown: request.showsProgress });
  const tally = new Tally();
  const apply = async (row: Row): Promise<EndedPhoto | { kind: "fatal"; error: unknown }> => {
    const { path = "" } = row;
    try {
      if (row.caption?.trim() === "") return { kind: "skipped", path };
      if (await writeEverywhere(await readCorrection(row, { root: request.root, state }), writers)) tally.kept += 1;
      return { kind: "captioned", path };
    } catch (error) {
      const isItsOwn = error instanceof CaptionError || error instanceof UnfitForCaption;
      const reason = isItsOwn ? error.message : unfitReason(error);
      return reason === undefined ? { kind: "fatal", error } : { kind: "failed", path, error: reason };
    }
  };
  try {
    for await (const ended of pMapIterable(rows, apply, { concurrency: rowsAtOnce })) {
      if (ended.kind === "fatal") throw ended.error;
      tally[ended.kind] += 1;
      shown.tell(ended, tally);
    }
    return tally;
  } finally {
    shown.end();
    await close();
    await state.close();
  }
}

/** A row with its photo. Throws where the photo is not the one that the row was written for. */
async function readCorrection(
  { path = "", caption = "", id: wanted = "" }: Row,
  { root, state }: { root: string; state: CaptionState },
): Promise<CaptionToWrite> {
  const file = resolve(root, path);
  const bytes = await readPhotoFile(file);
  const photo = await photoIdsOf(bytes);
  const last = await state.last(photo);
  if (wanted !== "" && ![photoKeyOf(photo), photo.id, last?.id].includes(wanted)) {
    throw new UnfitForCaption(`expected the photo ${wanted}, found ${photoKeyOf(photo)}: it has changed since`);
  }
  const format = readImageFormat(bytes, { allowHeic: true }); // a person may describe what is not decoded
  const text = caption.trim();
  const isPersons = last?.caption !== text || state.correctionOf(photo) !== undefined;
  if (isPersons) await state.correct(photo, text);
  return { path, file, photo, format, caption: text, model: isPersons ? undefined : last?.model, isUnsure: false };
}
