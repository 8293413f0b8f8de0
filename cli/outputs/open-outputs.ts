import { Metadata } from "../../files/exiftool.ts";
import { FileReplacer } from "../../files/file-replacer.ts";
import { say } from "../../terminal/progress.ts";
import type { ScheduledRun } from "../caption/scheduler.ts";
import { openGallery } from "../gallery/gallery-file.ts";
import type { StateFile } from "../state/state-file.ts";
import { openCsvFile } from "./csv-file.ts";
import type { AltTextChoice } from "./description.ts";
import { embeddedCaptions } from "./embedded-caption.ts";
import { openJsonlFile } from "./jsonl-file.ts";
import type { Listing, PhotoWriter } from "./output.ts";
import { SidecarClaims } from "./sidecar-path.ts";
import { txtSidecars } from "./txt-sidecar.ts";
import { type XmpName, xmpSidecars } from "./xmp-sidecar.ts";

/** Outputs besides standard output. Paths are absolute. */
export interface OutputRequest extends WriterRequest {
  jsonl?: string | undefined;
  csv?: string | undefined;
  html?: string | undefined;
}

/** Outputs beside the photos or inside them. */
export interface WriterRequest {
  txt: boolean;
  xmp: boolean;
  xmpName: XmpName;
  embed: boolean;
  /** Whether captions are written as alternative text, too, or only so. */
  altText?: AltTextChoice | undefined;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
}

export interface Outputs {
  files: FileReplacer;
  listings: Listing[];
  writers: PhotoWriter[];
  thumbnailOf: ScheduledRun["thumbnailOf"];
  close(): Promise<void>;
}

/** Opens the outputs that were asked for. Throws a sentence if an existing file is somebody else's. */
export async function openOutputs(
  request: OutputRequest,
  { state, title, roots, signal }: { state: StateFile; title: string; roots: readonly string[]; signal: AbortSignal },
): Promise<Outputs> {
  const { jsonl, csv, html, overwrite } = request;
  const files = new FileReplacer();
  const gallery = html === undefined ? undefined : await openGallery(html, { files, title, signal });
  const listings = [
    jsonl === undefined ? undefined : await openJsonlFile(jsonl, { signal }),
    csv === undefined ? undefined : await openCsvFile(csv, { files, state, overwrite, signal }),
    gallery,
  ];
  return {
    files,
    listings: listings.filter((listing) => listing !== undefined),
    ...openWriters(request, { files, state, roots }),
    thumbnailOf: gallery?.thumbnailOf,
  };
}

/** Opens the writers beside photos and into them. Close them after the last photo. */
export function openWriters(
  { txt, xmp, xmpName, embed, altText, overwrite }: WriterRequest,
  {
    files,
    state,
    roots,
  }: { files: FileReplacer; state: Pick<StateFile, "hasSaid" | "carryOver">; roots: readonly string[] },
): { writers: PhotoWriter[]; close(): Promise<void> } {
  const metadata = new Metadata();
  const settings = { files, metadata, state, claims: new SidecarClaims(), altText, overwrite };
  const sidecars = xmpSidecars({ ...settings, name: xmpName });
  return {
    writers: [
      ...(txt ? [txtSidecars(settings)] : []),
      ...(xmp ? [sidecars] : []),
      ...(embed ? [embeddedCaptions({ ...settings, roots, sidecars })] : []), // last: it changes the photo
    ],
    async close() {
      await metadata.close();
      reportLosses(files);
    },
  };
}

/** Reports what photos could not keep, once for all of them. */
function reportLosses({ losses }: FileReplacer): void {
  for (const [what, count] of losses) say(`${count} ${count === 1 ? "photo" : "photos"} could not keep: ${what}`);
}
