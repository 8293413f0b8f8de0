import "@tensorflow/tfjs-backend-cpu";
import { memory, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test, vi } from "vitest";
import { trainDetectors } from "../../../training/evidence/train-detectors.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";

beforeAll(async () => {
  await setBackend("cpu");
  vi.spyOn(process.stderr, "write").mockReturnValue(true); // progress
});

const featureSize = 8;
const photos = 1500;

/** Photos that show concept 0 where their first feature is high, and concept 1 at random. */
function madePhotos() {
  const random = seededRandom(2);
  const features = Float32Array.from({ length: photos * featureSize }, () => random() * 2);
  const shows = Array.from({ length: photos }, (_, photo) => (features[photo * featureSize] ?? 0) > 1.4);
  const targets = shows.map(
    (isShown) => new Map([...(isShown ? [[0, 1]] : []), ...(random() > 0.9 ? [[1, 1]] : [])] as [number, number][]),
  );
  const isWorded = shows.map((_, photo) => photo % 2 === 0);
  return { features, targets, shows, isWorded, concepts: ["dog", "bus"], isLabelled: [true, true], featureSize };
}

test("detectors find what the features show, in features as they are, and leave no tensor behind", async () => {
  const made = madePhotos();
  const original = Float32Array.from(made.features);
  const before = memory().numTensors;
  const { kernel, bias, recall } = await trainDetectors({ ...made, seed: 1 });
  expect(memory().numTensors).toBe(before);
  const logit = (photo: number, concept: number) => {
    const row = original.subarray(photo * featureSize, (photo + 1) * featureSize);
    return row.reduce((sum, value, channel) => sum + value * (kernel[2 * channel + concept] ?? 0), bias[concept] ?? 0);
  };
  const meanOf = (isShown: boolean, concept: number) => {
    const some = made.shows.flatMap((shown, photo) => (shown === isShown ? [logit(photo, concept)] : []));
    return some.reduce((sum, value) => sum + value, 0) / some.length;
  };
  expect(meanOf(true, 0) - meanOf(false, 0)).toBeGreaterThan(0.02);
  expect(Math.abs(meanOf(true, 1) - meanOf(false, 1))).toBeLessThan(0.3 * (meanOf(true, 0) - meanOf(false, 0)));
  expect(recall[0]).toBeGreaterThan(recall[1] ?? 1);
  expect(await trainDetectors({ ...madePhotos(), seed: 1 })).toEqual({ kernel, bias, recall });
});

test("what a labeller cannot say of its photos teaches nothing", async () => {
  const made = madePhotos();
  const targets = made.targets.map((own, photo) => (made.isWorded[photo] ? new Map<number, number>() : own));
  const learn = async (isLabelled: boolean[]) => {
    const { bias, kernel } = await trainDetectors({ ...madePhotos(), targets, isLabelled, seed: 1 });
    return (bias[0] ?? 0) + 1.7 * (kernel[0] ?? 0); // of a photo that shows it
  };
  expect(await learn([false, true])).toBeGreaterThan(await learn([true, true]));
});
