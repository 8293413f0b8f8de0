import { expect, test } from "vitest";
import { FeatureScaling } from "../../../training/fit/feature-scaling.ts";
import { initialValues, type MergeValues } from "../../../training/fit/merge-model.ts";

const featureSize = 3;
// the last channel is used by one photo alone
const features = Float32Array.from([1, 10, 0, 3, 20, 0, 5, 30, 0, 7, 40, 0.02]);
const spec = { featureSize, vocabularySize: 5, embeddingSize: 2, units: 4, maxCaptionLength: 6 };
const values = initialValues({ ...spec, dropout: { image: 0, words: 0, merge: 0 } }, 1);

/** What the first layer says of features, before its activation: [photos, units]. */
function imageDense({ "image_dense/kernel": kernel, "image_dense/bias": bias }: MergeValues, given: Float32Array) {
  return Array.from({ length: given.length / featureSize }, (_, photo) =>
    Array.from(bias, (start, unit) =>
      [0, 1, 2].reduce(
        (sum, channel) =>
          sum + (given[photo * featureSize + channel] ?? 0) * (kernel[channel * spec.units + unit] ?? 0),
        start,
      ),
    ),
  ).flat();
}

test("standardizes channels to mean 0, by their deviation and the floor", () => {
  const standardized = Float32Array.from(features);
  new FeatureScaling(features, { featureSize, floor: 0 }).standardize(standardized);
  for (const channel of [0, 1, 2]) {
    const own = standardized.filter((_, place) => place % featureSize === channel);
    expect(own.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
    expect(own.reduce((sum, value) => sum + value * value, 0) / own.length).toBeCloseTo(1, 4);
  }
});

test("keeps a photo that alone uses a channel from standing far out", () => {
  const outlier = (floor: number) => {
    const photo = Float32Array.from([4, 25, 1]);
    new FeatureScaling(features, { featureSize, floor }).standardize(photo);
    return photo[2];
  };
  expect(outlier(0)).toBeGreaterThan(100);
  expect(outlier(0.06)).toBeLessThan(16);
});

test("a channel that is the same everywhere stays a number", () => {
  const constant = Float32Array.from([1, 2, 5, 1, 3, 5]);
  const scaling = new FeatureScaling(constant, { featureSize, floor: 0.06 });
  scaling.standardize(constant);
  expect([...constant].every(Number.isFinite)).toBe(true);
});

test("folded, the decoder says of features as they come what it says of standardized ones", () => {
  const scaling = new FeatureScaling(features, { featureSize, floor: 0.06 });
  const standardized = Float32Array.from(features);
  scaling.standardize(standardized);
  const expected = imageDense(values, standardized);
  for (const [place, value] of imageDense(scaling.fold(values), features).entries()) {
    expect(value).toBeCloseTo(expected[place] ?? Number.NaN, 4);
  }
});

test("unfolding takes back what folding did", () => {
  const scaling = new FeatureScaling(features, { featureSize, floor: 0.06 });
  const back = scaling.unfold(scaling.fold(values));
  for (const name of ["image_dense/kernel", "image_dense/bias"] as const) {
    for (const [place, value] of back[name].entries()) expect(value).toBeCloseTo(values[name][place] ?? Number.NaN, 4);
  }
  expect(back["lstm/kernel"]).toBe(values["lstm/kernel"]);
});
