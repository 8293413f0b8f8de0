import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as z from "zod";
import { readResults } from "../../scripts/docs/results.ts";
import { repository } from "../../scripts/repository.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { madePhotos } from "../../test/fixtures/made-images.ts";
import { summarySchema } from "../../training/prepared.ts";
import type { Bench } from "../bench.ts";

const count = 200;

const secondsSchema = z.strictObject({ featureSeconds: z.number(), searchSeconds: z.number() });

const lineSchema = z.object({ result: captionResultSchema.pick({ caption: true }) });

export const tutorialProgram: Bench = {
  name: "tutorial-program",
  about:
    "the tutorial's program on Keras ÷ npm run caption, start to end, on the same 200 photos and cores; at least 10 (KERAS_PYTHON names a Python with Keras)",
  async run() {
    const { KERAS_PYTHON: python, KERAS_PHOTOS: photosFolder } = env;
    if (python === undefined)
      return "KERAS_PYTHON names no Python with Keras: docs/performance.md#the-tutorials-program";
    const folder = await mkdtemp(join(tmpdir(), "tutorial-program-"));
    try {
      const photos = join(folder, "photos");
      await mkdir(photos);
      await writePhotos(photos, photosFolder);
      const first = await captionOurs(photos, join(folder, "first"));
      const begun = performance.now();
      const { featureSeconds, searchSeconds } = await runTutorial(python, photos, {
        words: await meanWords(first.jsonl),
      });
      const peerSeconds = (performance.now() - begun) / 1000;
      const second = await captionOurs(photos, join(folder, "second"));
      const oursSeconds = Math.max(first.seconds, second.seconds); // other programs come and go
      const describe = (seconds: number) => `${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} photos a second`;
      const parts = `features ${featureSeconds.toFixed(1)} s, search ${searchSeconds.toFixed(1)} s`;
      return {
        number: peerSeconds / oursSeconds,
        ours: describe(oursSeconds),
        peer: `${describe(peerSeconds)}: ${parts}`,
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** The first photos of a folder, or generated ones. */
async function writePhotos(folder: string, source: string | undefined): Promise<void> {
  if (source === undefined) {
    for (const [index, bytes] of (await madePhotos(count)).entries())
      await writeFile(join(folder, `${index}.jpg`), bytes);
    return;
  }
  const names = (await readdir(source)).filter((name) => name.endsWith(".jpg")).sort();
  if (names.length < count)
    throw new Error(`KERAS_PHOTOS: expected ${count} JPEG files in ${source}, found ${names.length}`);
  for (const name of names.slice(0, count)) await copyFile(join(source, name), join(folder, name));
}

async function captionOurs(photos: string, out: string): Promise<{ seconds: number; jsonl: string }> {
  await mkdir(out); // its state is there, too: what was captioned would be passed over
  const jsonl = join(out, "captions.jsonl");
  const begun = performance.now();
  const program = ["--import", "tsx", "cli/main.ts", "caption", photos, "--jsonl", jsonl, "--quiet"];
  await promisify(execFile)(process.execPath, program, { cwd: repository });
  return { seconds: (performance.now() - begun) / 1000, jsonl };
}

/** Words that our captions have on average, which the tutorial's random weights are to write, too. */
async function meanWords(jsonl: string): Promise<number> {
  const lines = (await readFile(jsonl, "utf8")).trimEnd().split("\n");
  const captions = lines.map((line) => lineSchema.parse(JSON.parse(line)).result.caption);
  if (captions.length !== count) throw new Error(`expected ${count} captions, received ${captions.length}`);
  return Math.round(captions.reduce((sum, caption) => sum + caption.split(" ").length, 0) / count);
}

async function runTutorial(python: string, photos: string, { words }: { words: number }) {
  const { vocabularySize, longestCaption } = await readResults("prepare-tutorial.json", summarySchema);
  const program = fileURLToPath(new URL("keras_tutorial.py", import.meta.url));
  const settings = [vocabularySize, longestCaption, words].map(String);
  const { stdout } = await promisify(execFile)(python, [program, photos, ...settings]);
  return secondsSchema.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
}
