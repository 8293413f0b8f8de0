import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openBundle } from "../../captioner/bundle.ts";
import { rowsOf } from "../../captioner/vectors.ts";
import { exportBundle } from "../../training/export.ts";
import { readFeatures } from "../../training/features/photo-features.ts";
import { features } from "../../training/features.ts";
import { captionFeatures } from "../../training/fit/decode-features.ts";
import { fit } from "../../training/fit.ts";
import { prepare } from "../../training/prepare.ts";
import { readPrepared } from "../../training/prepared.ts";
import { readRehearsal } from "../../training/rehearsal.ts";
import { beginRun, runStages } from "../../training/run-stages.ts";
import { copyTinyBundle } from "../fixtures/bundles.ts";
import { largestDifference } from "../fixtures/vectors.ts";
import { makeData, train } from "./run-training.ts";

describe("export", () => {
  test("gives the bundle training photos to rehearse, with its own captions, which captioning does without", async () => {
    const context = await train({ data: await makeData(["train", "dev", "train", "test", "train"]) });
    const folder = join(context.out, "bundle");
    const bundle = await openBundle(folder);
    const rehearsal = await readRehearsal(bundle);
    expect(rehearsal?.captions).toHaveLength(3);
    const { photos, ...made } = await readFeatures(beginRun(context), {
      photos: (await readPrepared(context)).photos.filter(({ split }) => split === "train"),
    });
    const rows = (features: Float32Array) => rowsOf(features, photos.length);
    for (const row of rows(rehearsal?.features ?? new Float32Array())) {
      expect(Math.min(...rows(made.features).map((other) => largestDifference(row, other)))).toBeLessThan(0.01);
    }
    const search = { ...bundle.manifest.search };
    const said = await captionFeatures(bundle.readDecoder(), rehearsal ?? made, { ...bundle, search, beam: 3 });
    expect(rehearsal?.captions).toEqual(said.map((words) => [words]));

    await truncate(join(folder, "rehearsal", "features.bin"), 100);
    const other = await openBundle(folder); // it captions all the same
    await expect(other.readRehearsal()).rejects.toThrow(/rehearsal\/features\.bin: expected \d+ bytes by the manifest/);
  });

  test("makes no bundle of a decoder that was made with other flags", async () => {
    const context = await train({ stages: [prepare, features, fit] });
    const other = { ...context, settings: { ...context.settings, seed: 2 } };
    await expect(runStages([exportBundle], other)).rejects.toThrow("found another decoder: run the stage fit first");
  });

  test("writes a card that tells what becomes of a photo, what was learnt from, and under which licence", async () => {
    const encoder = await copyTinyBundle();
    const path = join(encoder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    manifest.preprocessing.through = { width: 224, height: 224, kernel: "linear", jpegQuality: 85 };
    delete manifest.encoder.ranges; // they are those of an encoder that sees other pixels
    await writeFile(path, JSON.stringify(manifest));
    const { out } = await train({ encoder, licence: "CC0-1.0" });
    const card = await readFile(join(out, "bundle", "README.md"), "utf8");
    expect(card).toContain(
      "any photo, first brought to 224×224 and JPEG quality 85 where it is larger, then squashed to 299×299",
    );
    expect(card).toContain("6 captions of 2 photos");
    expect(card).toContain("| Licence | CC0-1.0 |");
    expect(card).toContain("each phase's best epoch, whose weights were averaged, was chosen on 1 photos");
    expect((await openBundle(join(out, "bundle"))).manifest.licence).toBe("CC0-1.0");
  });
});
