import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as z from "zod";
import { defaultModelDir, openBundle } from "../../../captioner/bundle.ts";
import { defaultMaxPixels } from "../../../shared/contract.ts";
import { imagesToMutate, mutatedImage } from "../../fixtures/mutated-images.ts";
import { heicPath } from "../../fixtures/real-photos.ts";
import type { jobSchema, Outcome } from "./decode-mutated.ts";

const usualDecoder = new URL("../../../captioner/images/decode-image.ts", import.meta.url).href;
const program = fileURLToPath(new URL("decode-mutated.ts", import.meta.url));
/** A file that takes longer hangs; what is slow takes a second here. */
const longestMs = 30_000;

/** Which of a seed's files to decode: `from` up to and without `to`, of one format. */
export interface Batch {
  format: string;
  from: number;
  to: number;
  /** Module with another `decodeImage` than ours. */
  decoder?: string;
}

/** The files of a seed, and processes that decode them. */
export class MutatedImages {
  readonly formats: readonly string[];
  readonly #seed: number;
  readonly #folder: string;
  readonly #originals: Record<string, readonly Uint8Array[]>;

  private constructor(
    originals: Record<string, readonly Uint8Array[]>,
    { seed, folder }: { seed: number; folder: string },
  ) {
    this.#originals = originals;
    this.formats = Object.keys(originals);
    this.#seed = seed;
    this.#folder = folder;
  }

  /** Writes the originals into a folder, for the processes to read. */
  static async make(place: { seed: number; folder: string }): Promise<MutatedImages> {
    const originals = { ...(await imagesToMutate()), heic: [new Uint8Array(await readFile(heicPath))] };
    for (const [format, files] of Object.entries(originals)) {
      await mkdir(join(place.folder, format));
      for (const [index, bytes] of files.entries()) await writeFile(join(place.folder, format, String(index)), bytes);
    }
    return new MutatedImages(originals, place);
  }

  file(format: string, index: number): Uint8Array<ArrayBuffer> {
    return mutatedImage(this.#originals[format] ?? [], { seed: this.#seed, index });
  }

  /** Decodes a batch in a process of its own. Throws if that dies or hangs; the file that did it is kept, as are those of failures. */
  async decode({ format, from, to, decoder = usualDecoder }: Batch): Promise<Outcome> {
    const { preprocessing } = (await openBundle(defaultModelDir)).manifest;
    const place = { folder: join(this.#folder, format), indexFile: join(this.#folder, `${format}-${from}-${to}`) };
    const limits = { seed: this.#seed, from, to, decoder, maxPixels: defaultMaxPixels };
    const job: z.infer<typeof jobSchema> = { ...place, ...limits, preprocessing };
    const child = fork(program, [JSON.stringify(job)], { execArgv: ["--import", import.meta.resolve("tsx")] });
    let outcome: Outcome | undefined;
    child.on("message", (message: Outcome) => {
      outcome = message;
    });
    const readIndex = async () => Number(await readFile(place.indexFile, "utf8").catch(() => from));
    let last = -1;
    const watch = setInterval(async () => {
      const index = await readIndex();
      if (index === last) child.kill("SIGKILL");
      last = index;
    }, longestMs);
    const [code, signal] = await once(child, "exit");
    clearInterval(watch);
    if (outcome !== undefined && code === 0) {
      for (const failure of outcome.failures) failure.why += `, file ${await this.#keep(format, failure.index)}`;
      return outcome;
    }
    const kept = await this.#keep(format, await readIndex());
    throw new Error(`the decoder ended with ${signal ?? code}, file ${kept}`);
  }

  async #keep(format: string, index: number): Promise<string> {
    const path = join(tmpdir(), `mutated-${this.#seed}-${index}.${format}`);
    await writeFile(path, this.file(format, index));
    return path;
  }
}
