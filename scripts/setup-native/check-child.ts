import type { Rank } from "@tensorflow/tfjs-node-gpu";
import * as z from "zod";
import { giveBackRemoved } from "../../captioner/tensorflow/binding.ts";
import type { CheckMessage } from "./final-check.ts";

/** Entry of the final check's process, which sends one message: what it found. */
const backendSchema = z.object({ binding: z.object({ TF_Version: z.string() }), isUsingGpuDevice: z.boolean() });
const steps = 5;

let message: CheckMessage;
try {
  message = await checkTensorFlow();
} catch (error) {
  message = { failure: error instanceof Error ? error.message : String(error) };
}
process.send?.(message);

async function checkTensorFlow(): Promise<CheckMessage> {
  giveBackRemoved();
  const tf = await import("@tensorflow/tfjs-node-gpu");
  const { binding, isUsingGpuDevice } = backendSchema.parse(tf.backend());

  const beforeConvolution = performance.now();
  const sums = tf.conv2d(tf.ones<Rank.R4>([1, 32, 32, 3]), tf.ones<Rank.R4>([3, 3, 3, 8]), 1, "valid"); // [1, 30, 30, 8]
  if (sums.notEqual(27).any().dataSync()[0] !== 0) throw new Error("a convolution of ones gives other numbers than 27");
  const convolutionMs = performance.now() - beforeConvolution;

  const model = tf.sequential({
    layers: [tf.layers.lstm({ units: 16, inputShape: [6, 8] }), tf.layers.dense({ units: 4, activation: "softmax" })],
  });
  model.compile({ optimizer: tf.train.adam(0.05), loss: "categoricalCrossentropy" });
  const inputs = tf.randomNormal([8, 6, 8], 0, 1, "float32", 1);
  const targets = tf.oneHot([0, 1, 2, 3, 0, 1, 2, 3], 4);
  const losses: number[] = [];
  const beforeTraining = performance.now();
  for (let step = 0; step < steps; step++) losses.push(z.number().parse(await model.trainOnBatch(inputs, targets)));
  const trainingStepMs = (performance.now() - beforeTraining) / steps;
  const [first = 0, last = 0] = [losses.at(0), losses.at(-1)];
  if (!(last < first)) throw new Error(`${steps} steps of LSTM training took the loss from ${first} to ${last}`);

  return {
    tensorflow: binding.TF_Version,
    device: isUsingGpuDevice ? "gpu" : "cpu",
    convolutionMs,
    trainingStepMs,
  };
}
