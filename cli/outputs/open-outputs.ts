import { stat } from "node:fs/promises";
import type { CaptionRun } from "../caption-photos.ts";
import type { CaptionState } from "../caption-state.ts";
import { Metadata } from "../exiftool.ts";
import { FileReplacer } from "../file-replacer.ts";
import { openGallery } from "../gallery/gallery-file.ts";
import { openCsvFile } from "./csv-file.ts";
import { embeddedCaptions } from "./embedded-caption.ts";
import { openJsonlFile } from "./jsonl-file.ts";
import type { Listing, PhotoWriter } from "./output.ts";
import { SidecarClaims } from "./sidecar-path.ts";
import { txtSidecars } from "./txt-sidecar.ts";
import { type XmpName, xmpSidecars } from "./xmp-sidecar.ts";

/** Where captions go besides standard output. Paths are absolute. */
export interface OutputRequest extends WriterRequest {
  jsonl?: string | undefined;
  csv?: string | undefined;
  html?: string | undefined;
}

/** Beside the photos, or into them. */
export interface WriterRequest {
  txt: boolean;
  xmp: boolean;
  xmpName: XmpName;
  embed: boolean;
  /** Also what a person wrote. */
  overwrite: boolean;
}

export interface Outputs {
  listings: Listing[];
  writers: PhotoWriter[];
  thumbnailOf: CaptionRun["thumbnailOf"];
  close(): Promise<void>;
}

/** Opens what was asked for. Throws a sentence where something that is there already is somebody else's. */
export async function openOutputs(
  request: OutputRequest,
  { state, title }: { state: CaptionState; title: string },
): Promise<Outputs> {
  const { jsonl, csv, html, overwrite } = request;
  const files = new FileReplacer();
  const gallery = html === undefined ? undefined : await openGallery(html, { files, title });
  const listings = [
    jsonl === undefined ? undefined : await openJsonlFile(jsonl),
    csv === undefined ? undefined : await openCsvFile(csv, { files, state, overwrite }),
    gallery,
  ];
  return {
    listings: listings.filter((listing) => listing !== undefined),
    ...openWriters(request, { files, state }),
    thumbnailOf: gallery?.thumbnailOf,
  };
}

/** What writes beside photos and into them; close it behind the last one. */
export function openWriters(
  { txt, xmp, xmpName, embed, overwrite }: WriterRequest,
  { files, state }: { files: FileReplacer; state: Pick<CaptionState, "hasSaid" | "carryOver"> },
): { writers: PhotoWriter[]; close(): Promise<void> } {
  const metadata = new Metadata();
  const settings = { files, metadata, state, claims: new SidecarClaims(), overwrite };
  return {
    writers: [
      ...(txt ? [txtSidecars(settings)] : []),
      ...(xmp ? [xmpSidecars({ ...settings, name: xmpName })] : []),
      ...(embed ? [inTurnByFile(embeddedCaptions(settings))] : []), // last: it changes the photo
    ],
    close: () => metadata.close(),
  };
}

/** Several photos may be links to one file: that is written once, and the others find their caption there. */
function inTurnByFile(writer: PhotoWriter): PhotoWriter {
  const turns = new Map<string, Promise<unknown>>();
  return {
    async write(caption) {
      const { dev, ino } = await stat(caption.file, { bigint: true });
      const key = `${dev}:${ino}`;
      const written = (turns.get(key) ?? Promise.resolve()).then(() => writer.write(caption));
      const turn = written.then(
        () => undefined,
        () => undefined,
      );
      turns.set(key, turn);
      return written.finally(() => {
        if (turns.get(key) === turn) turns.delete(key);
      });
    },
  };
}
