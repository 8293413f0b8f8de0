import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openBundle, openEncoder } from "../../captioner/bundle.ts";
import { startEngineProcess } from "../../captioner/engines/engine-process.ts";
import { exportBundle } from "../../training/export.ts";
import { features } from "../../training/features.ts";
import { fit } from "../../training/fit.ts";
import { prepare } from "../../training/prepare.ts";
import { runStages } from "../../training/run-stages.ts";
import { defaultSettings } from "../../training/settings.ts";
import { copyTinyEncoder, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { runService } from "../gpu-service/running-service.ts";
import { enoughCaptions, makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

describe("an encoder without a decoder", () => {
  test("is trained on, and comes out as the encoder of a bundle that captions", async () => {
    const encoder = await copyTinyEncoder();
    const photos = ["1.png", "2.png"];
    const data = await makeJsonl(
      photos.map((image) => ({ image, captions: enoughCaptions, split: "train" })),
      { photos },
    );
    const settings = { ...defaultSettings, minCount: 2, epochs: 1, units: 16, embeddingSize: 8, encoder };
    const out = await temporaryFolder();
    listen();
    await runStages([prepare, features, fit, exportBundle], { data: oneSource(data), out, settings });

    const { manifest } = await openBundle(join(out, "bundle"));
    const alone = await openEncoder(encoder);
    expect(manifest.files).toEqual(expect.arrayContaining(alone.manifest.files));
    expect(manifest.preprocessing).toEqual(alone.manifest.preprocessing);
    const engine = await startEngineProcess(join(out, "bundle"), "onnx");
    onTestFinished(() => engine.close());
    const { captions } = await engine.caption(new Uint8Array(299 * 299 * 3), [{ beam: 1, candidates: 1 }]);
    expect(captions).toHaveLength(1);
  });

  test("runs in an engine's process, with the features that its bundle gives; a search fails with what is missing", async () => {
    const folder = await copyTinyEncoder();
    const pixels = new Uint8Array(299 * 299 * 3).map((_, index) => index % 251);
    const [alone, whole] = await Promise.all([folder, tinyBundle].map((path) => startEngineProcess(path, "onnx")));
    onTestFinished(async () => void (await Promise.all([alone?.close(), whole?.close()])));

    const found = await alone?.encode(pixels, 1);
    expect(found).toEqual(await whole?.encode(pixels, 1));
    const options = [{ beam: 3, candidates: 1 }];
    await expect(alone?.caption(pixels, options)).rejects.toThrow(
      `${folder}: expected a model bundle, found an encoder`,
    );
    await expect(alone?.search(new Float32Array(2048), options)).rejects.toThrow("found an encoder without a decoder");
    expect(await alone?.encode(pixels, 1)).toEqual(found);
  });

  test("stops a service that is pointed at it, with one sentence that says how to train a decoder", async () => {
    const folder = await copyTinyEncoder();
    const { code, stderr } = await runService({ MODEL_DIR: folder });

    expect(stderr).toBe(
      `edge-caption service: ${folder}: expected a model bundle, found an encoder without a decoder: ` +
        `edge-caption-train --encoder ${folder} --data <captions> --out <folder> makes a bundle of it\n`,
    );
    expect(code).toBe(1);
  });

  test("is refused by training that is to go on from a bundle", async () => {
    const from = await copyTinyEncoder();
    const data = await makeJsonl([{ image: "1.png", captions: enoughCaptions }], { photos: ["1.png"] });
    const context = { data: oneSource(data), out: dirname(from), settings: { ...defaultSettings, from } };
    listen();

    await expect(runStages([prepare], context)).rejects.toThrow("found an encoder without a decoder");
  });
});
