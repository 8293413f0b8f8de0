import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Dataset } from "../dataset.ts";
import { readFlickr8k } from "./read-flickr8k.ts";
import { readJsonl } from "./read-jsonl.ts";

/** Reads what stands at `--data`: a folder in Flickr8k's layout, or a JSONL file. Looks at no photo. */
export async function readDataset(data: string): Promise<Dataset> {
  const dataset = (await stat(data)).isDirectory() ? await readFlickr8k(data) : await readCaptionFile(data);
  if (dataset.photos.length > 0) return dataset;
  throw new Error(`${data}: expected photos with captions, found none`);
}

function readCaptionFile(path: string): Promise<Dataset> {
  if ([".jsonl", ".ndjson"].includes(extname(path).toLowerCase())) return readJsonl(path);
  throw new Error(`${path}: expected a folder in Flickr8k's layout, or a file whose name ends in .jsonl`);
}
