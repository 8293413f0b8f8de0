import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type EncoderBundle, openEncoder } from "../../../captioner/bundle.ts";
import { choosePrecision, openEncoderSession } from "../../../captioner/onnx/encoder-session.ts";
import { recallPrecision, rememberPrecision } from "../../../captioner/onnx/precision-memory.ts";
import { temporaryFolder, tinyBundle } from "../../fixtures/bundles.ts";

async function withCache(folder?: string): Promise<string> {
  const cache = folder ?? (await temporaryFolder());
  vi.stubEnv("EDGE_CAPTION_CACHE", cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  return cache;
}

async function openAuto(bundle: EncoderBundle): Promise<string> {
  const session = await openEncoderSession(bundle, { threads: 1, precision: "auto" });
  await session.close();
  return session.precision;
}

describe("choosePrecision", () => {
  test.each([
    { float32: 56, int8: 22, chosen: "int8" },
    { float32: 56, int8: 43, chosen: "int8" },
    { float32: 56, int8: 44, chosen: "float32" },
    { float32: 3, int8: 1, chosen: "float32" }, // two milliseconds a photo are not worth other captions
  ])("takes $chosen where a photo takes $float32 ms in float32 and $int8 ms in int8", ({ chosen, ...times }) => {
    expect(choosePrecision(times)).toBe(chosen);
  });
});

describe("auto", () => {
  test("measures once a machine and bundle, and keeps to what it found", async () => {
    const cache = await withCache();
    const bundle = await openEncoder(tinyBundle);
    expect(await openAuto(bundle)).toBe("float32"); // the tiny encoder is quick in either
    const [name = ""] = await readdir(join(cache, "precision"));
    await writeFile(join(cache, "precision", name), '{"precision":"int8"}');
    expect(await openAuto(bundle)).toBe("int8");
    expect(await recallPrecision(bundle, 2)).toBeUndefined(); // with other threads it is another machine
    expect(await recallPrecision({ ...bundle, revision: "0123456789ab" }, 1)).toBeUndefined();
  });

  test("measures again where what was kept is damaged", async () => {
    const cache = await withCache();
    const bundle = await openEncoder(tinyBundle);
    await rememberPrecision(bundle, { threads: 1, precision: "int8" });
    const [name = ""] = await readdir(join(cache, "precision"));
    await writeFile(join(cache, "precision", name), '{"precision":"int');
    expect(await openAuto(bundle)).toBe("float32");
    expect(await readFile(join(cache, "precision", name), "utf8")).toBe('{"precision":"float32"}');
  });

  test("goes on without a place to keep it", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    await chmod(file, 0o400);
    await withCache(join(file, "below")); // as on a read-only root: no folder can be made there, not even by root
    expect(await openAuto(await openEncoder(tinyBundle))).toBe("float32");
  });

  test("is float32 for a bundle without ranges", async () => {
    await withCache();
    const bundle = await openEncoder(tinyBundle);
    await rememberPrecision(bundle, { threads: 1, precision: "int8" });
    expect(await openAuto({ ...bundle, readRanges: () => undefined })).toBe("float32");
  });
});
