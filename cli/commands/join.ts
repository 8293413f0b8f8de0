import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { toDiskPath } from "../../files/disk-path.ts";
import { describeFileError } from "../../files/file-error.ts";
import { readJsonLines } from "../../files/read-lines.ts";
import { findShards } from "../../files/shard.ts";
import { putInPlace } from "../../files/write-whole.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import { say } from "../../terminal/progress.ts";

/** A part's whole lines. What a kill cut off after them is left out. */
interface Part {
  path: string;
  lines: number;
  bytes: number;
}

/** Makes the command `edge-caption join <file>`. */
export function joinCommand(): Command {
  const folder = invocationFolder();
  return new Command("join")
    .description("Joins the parts that edge-caption caption --shard wrote into one file of JSON lines.")
    .argument("<file>", "file to write; its parts are beside it, as in captions-shard-3-of-16.jsonl", (path: string) =>
      resolve(folder, path),
    )
    .option("--force", "replace the file if it exists", false)
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (path: string, { force }: { force: boolean }) => {
      if (!force && existsSync(path))
        throw new Error(`${path}: already exists: remove it, or use --force to replace it`);
      const parts: Part[] = [];
      for (const part of await findShards(path)) parts.push(await measurePart(part));
      await joinParts(path, parts);
      const lines = parts.reduce((sum, part) => sum + part.lines, 0);
      say(`${path}: ${lines} lines of ${parts.length} parts`);
    });
}

const examples = `
Examples:
  edge-caption caption /photos --shard 1/2 --jsonl captions.jsonl     on one machine
  edge-caption caption /photos --shard 2/2 --jsonl captions.jsonl     on another, with the same folder
  edge-caption join captions.jsonl

Name the photos in the same way on every machine: a photo's path decides which part it belongs to.`;

async function measurePart(path: string): Promise<Part> {
  const part = { path, lines: 0, bytes: 0 };
  for await (const { end } of readJsonLines(path, { opening: '{"path":' })) {
    part.lines += 1;
    part.bytes = end;
  }
  return part;
}

/** Writes the parts one after the other, whole or not at all. */
async function joinParts(path: string, parts: readonly Part[]): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    await pipeline(readParts(parts), createWriteStream(toDiskPath(temporary)));
    await putInPlace(temporary, path);
  } catch (cause) {
    await rm(toDiskPath(temporary), { force: true });
    const sentence = describeFileError(cause, { path });
    throw sentence === undefined ? cause : new Error(sentence, { cause });
  }
}

async function* readParts(parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const { path, bytes } of parts) {
    if (bytes > 0) yield* createReadStream(toDiskPath(path), { end: bytes - 1 });
  }
}
