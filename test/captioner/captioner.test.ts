import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kill } from "node:process";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type Captioner,
  type CaptionerSettings,
  startCaptioner,
  usualCaptionerSettings,
} from "../../captioner/captioner.ts";
import type { PoolEvents } from "../../captioner/engines/engine-pool.ts";
import { EngineLost, startEngineProcess } from "../../captioner/engines/engine-process.ts";
import { defaultCaptionOptions as options } from "../../shared/caption-options.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { sealBundle } from "../../training/write-bundle.ts";
import { copyTinyBundle, tinyBundle } from "../fixtures/bundles.ts";
import { decodedPhotos, photoNames, photoPath } from "../fixtures/real-photos.ts";
import { childrenOf } from "../support/process-table.ts";

const tinySettings = { ...usualCaptionerSettings, modelDir: tinyBundle, engine: "onnx", precision: "float32" } as const;

async function tinyCaptioner(settings: Partial<CaptionerSettings> = {}, events: PoolEvents = {}): Promise<Captioner> {
  const captioner = await startCaptioner({ ...tinySettings, ...settings }, events);
  onTestFinished(() => captioner.close());
  return captioner;
}

describe("startCaptioner", () => {
  test("captions photos as the contract says, and each by itself", async () => {
    const captioner = await tinyCaptioner();
    const photos = await Promise.all(photoNames.map((name) => readFile(photoPath(name))));
    const results = await Promise.all(
      photos.map((bytes) => captioner.caption({ bytes, options: { beam: 4, candidates: 2 } })),
    );
    for (const [index, { caption: result }] of results.entries()) {
      const parsed = captionResultSchema.omit({ id: true, contentId: true }).parse(result);
      expect(parsed.candidates).toHaveLength(2);
      expect(parsed.caption).toBe(parsed.candidates[0]?.caption);
      expect(parsed.image.bytes).toBe(photos[index]?.length);
      expect(parsed.model).toEqual({ id: "tiny", revision: captioner.card.revision });
    }
    expect(new Set(results.map(({ caption }) => caption.caption)).size).toBeGreaterThan(2);
  });

  test("states the confidence as the geometric mean of the words' probabilities, end included", async () => {
    const captioner = await tinyCaptioner();
    const { caption: result } = await captioner.caption({ bytes: await readFile(photoPath("astronaut")), options });
    for (const { words, caption, confidence, logProb } of result.candidates) {
      const product = words.reduce((total, { probability }) => total * probability, 1);
      expect(Math.log(product)).toBeCloseTo(logProb, 3);
      expect(confidence).toBeCloseTo(product ** (1 / words.length), 4);
      expect(
        words
          .filter(({ end }) => !end)
          .map(({ word }) => word)
          .join(" "),
      ).toBe(caption);
      expect(words.at(-1)).toMatchObject({ word: "endseq", end: true });
    }
  });

  test("waits with a batch for photos that are being decoded, as long as it may", async () => {
    const photos = await Promise.all(photoNames.slice(0, 3).map((name) => readFile(photoPath(name))));
    const sizesWith = async (batchWaitMs: number) => {
      const sizes: number[] = [];
      const captioner = await tinyCaptioner({ batchWaitMs, decodeThreads: 2 }, { onBatch: (size) => sizes.push(size) });
      await Promise.all(photos.map((bytes) => captioner.caption({ bytes, options })));
      return sizes;
    };
    expect(await sizesWith(5000)).toEqual([3]);
    expect((await sizesWith(0))[0]).toBe(1);
  });

  test("lets a photo that comes alone wait for nobody", async () => {
    const captioner = await tinyCaptioner({ batchWaitMs: 5000 });
    const { timings } = await captioner.caption({ bytes: await readFile(photoPath("chelsea")), options });
    expect(timings.queue).toBeLessThan(2500);
  });

  test("has an engine replaced that takes more memory than it may", async () => {
    const onLost = vi.fn();
    const captioner = await tinyCaptioner({ engineMemoryMb: 1 }, { onLost });
    const bytes = await readFile(photoPath("chelsea"));
    await captioner.caption({ bytes, options });
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce());
    expect(onLost.mock.calls[0]?.[0]).toMatchObject({ reason: "grown" });
  });

  test("says what is wrong with a bundle that its engine cannot compile", async () => {
    const folder = await copyTinyBundle();
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...manifest, encoder: { ...manifest.encoder, featureSize: 512 } }));
    const started = startCaptioner({ ...tinySettings, modelDir: folder });
    const file = join(folder, "encoder/model.json");
    await expect(started).rejects.toThrow(`${file}: expected an encoder with features [n, 512], found [n, 2048]`);
  });

  test("refuses a bundle whose networks give numbers that are not finite", async () => {
    const folder = await copyTinyBundle();
    const path = join(folder, "encoder/model.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/"scale":[\d.]+/g, '"scale":1e37'));
    await sealBundle(folder);
    const started = startCaptioner({ ...tinySettings, modelDir: folder });
    await expect(started).rejects.toThrow("its networks give numbers that are not finite");
  });

  test("drops a photo at once when its signal aborts, though the engine hangs", async () => {
    const captioner = await tinyCaptioner();
    const bytes = await readFile(photoPath("chelsea"));
    const child = childrenOf(process.pid).at(-1) ?? Number.NaN;
    kill(child, "SIGSTOP");
    onTestFinished(() => void kill(child, "SIGCONT"));
    const signal = AbortSignal.timeout(300);
    await expect(captioner.caption({ bytes, options, signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("EngineProcess", () => {
  test("gives features to those who only want to encode", async () => {
    const engine = await startEngineProcess(tinyBundle, "onnx");
    onTestFinished(() => engine.close());
    const photos = await decodedPhotos({
      width: 299,
      height: 299,
      fit: "fill",
      kernel: "linear",
      divisor: 127.5,
      offset: -1,
    });
    expect(await engine.encode(Buffer.concat(photos), photos.length)).toHaveLength(photos.length * 2048);
  });

  test("fails the calls it held once each when it is killed, and says that it died", async () => {
    const engine = await startEngineProcess(tinyBundle, "onnx");
    const pixels = new Uint8Array(64 * 299 * 299 * 3);
    const calls = [1, 2, 3].map(() => engine.encode(pixels, 64));
    kill(engine.pid ?? Number.NaN, "SIGKILL");
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await engine.lost).toEqual(new EngineLost("the engine ended with SIGKILL"));
    await expect(engine.encode(pixels, 64)).rejects.toThrow();
  });

  test("answers a call it cannot run with an error, and the next one as if nothing had been", async () => {
    const engine = await startEngineProcess(tinyBundle, "onnx");
    onTestFinished(() => engine.close());
    await expect(engine.encode(new Uint8Array(5), 1)).rejects.toThrow();
    expect(await engine.encode(new Uint8Array(299 * 299 * 3), 1)).toHaveLength(2048);
  });
});
