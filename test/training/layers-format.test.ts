import "@tensorflow/tfjs-backend-cpu";
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { parseLayersModel } from "../../captioner/networks/layers-model.ts";
import { weightedLayers, withWeights } from "../../training/layers-format.ts";
import { madeTensor } from "../fixtures/keras-weights.ts";

const shape = [3, 3, 3, 8];

/** One convolution with batch normalisation. */
function smallModel() {
  const pixels = input({ shape: [9, 9, 3] });
  const convolved = layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, name: "conv2d" }).apply(pixels);
  const normalized = layers.batchNormalization({ scale: false, name: "normalization" }).apply(convolved);
  return model({ inputs: pixels, outputs: normalized as SymbolicTensor }); // one in, one out
}

/** Made weights, written and read back. */
async function roundTrip({ isQuantized }: { isQuantized: boolean }) {
  const network = smallModel();
  const weights = weightedLayers(network).flatMap(({ name: layer, weights }) =>
    weights.map(({ name, shape }) => ({ layer, name, shape, values: madeTensor(`${layer}/${name}`, shape) })),
  );
  const written = await withWeights(network, { weights, isQuantized });
  network.dispose();
  const topology = JSON.parse(JSON.stringify(written.topology));
  return { written, read: parseLayersModel({ topology, readWeights: () => written.weights }) };
}

test("float32 weights come back as they were", async () => {
  const { written, read } = await roundTrip({ isQuantized: false });
  expect(written.weights).toHaveLength(4 * (216 + 3 * 8));
  expect(read.weight("conv2d", "kernel", shape).values).toEqual(madeTensor("conv2d/kernel", shape));
});

test("quantised kernels come back to half a step, in a quarter of the bytes; the other weights as they were", async () => {
  const { written, read } = await roundTrip({ isQuantized: true });
  expect(written.weights).toHaveLength(216 + 4 * 3 * 8);
  const kernel = madeTensor("conv2d/kernel", shape);
  const step = (Math.max(...kernel) - Math.min(...kernel)) / 255;
  const { values } = read.weight("conv2d", "kernel", shape);
  for (const [index, value] of values.entries()) {
    expect(Math.abs(value - (kernel[index] ?? 0))).toBeLessThan(0.501 * step);
  }
  expect(read.weight("normalization", "moving_variance", [8]).values).toEqual(
    madeTensor("normalization/moving_variance", [8]),
  );
});
