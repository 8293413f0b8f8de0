import { describe, expect, test } from "vitest";
import { openEncoder } from "../../../captioner/bundle.ts";
import { equalizeChannels } from "../../../training/quantize/equalize-channels.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import { decodedPhotos } from "../../fixtures/real-photos.ts";

describe("equalizeChannels", () => {
  test("finds some for every convolution's channels, the furthest's being 1 and none below a tenth", async () => {
    const bundle = await openEncoder(tinyBundle);
    const divisors = await equalizeChannels(bundle, await photos());
    const convolutions = bundle.readEncoder().layers.filter(({ class: of }) => of === "Conv2D");
    expect(Object.keys(divisors).sort()).toEqual(convolutions.map(({ name }) => name).sort());
    for (const [convolution, ofChannels] of Object.entries(divisors)) {
      expect(Math.max(...ofChannels), convolution).toBe(1);
      expect(Math.min(...ofChannels), convolution).toBeGreaterThanOrEqual(0.1);
      expect(new Set(ofChannels).size, convolution).toBeGreaterThan(1);
    }
  });

  test("refuses a photo of which a layer makes what is not finite, by the layer's name", async () => {
    const bundle = await openEncoder(tinyBundle);
    const endless = { ...bundle.manifest.preprocessing, offset: Number.POSITIVE_INFINITY };
    const broken = { ...bundle, manifest: { ...bundle.manifest, preprocessing: endless } };
    await expect(equalizeChannels(broken, await photos())).rejects.toThrow(/layer \w+: expected finite values, found/);
  });
});

async function photos(): Promise<AsyncGenerator<Uint8Array>> {
  const { manifest } = await openEncoder(tinyBundle);
  const decoded = await decodedPhotos(manifest.preprocessing);
  return (async function* () {
    yield* decoded;
  })();
}
