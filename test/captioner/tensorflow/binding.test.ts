import util from "node:util";
import { expect, test } from "vitest";
import { giveBackRemoved } from "../../../captioner/tensorflow/binding.ts";

test("node:util has what TensorFlow's package calls, whether this Node has removed it or not", () => {
  giveBackRemoved();
  const call = (name: string, value: unknown): unknown => Reflect.get(util, name)(value);
  expect([undefined, null, 0, ""].map((value) => call("isNullOrUndefined", value))).toEqual([true, true, false, false]);
  expect([[], { length: 0 }].map((value) => call("isArray", value))).toEqual([true, false]);
});
