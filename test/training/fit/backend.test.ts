import { expect, test } from "vitest";
import { missingEnvironment } from "../../../training/fit/backend.ts";

const setup = { libraryPath: ["/cache/cuda/lib", "/cache/cudnn/lib"] };

test("training starts once more with TensorFlow's CUDA libraries, and only once", () => {
  const environment = missingEnvironment(setup, { LD_LIBRARY_PATH: "/usr/local/lib", HOME: "/home" });
  expect(environment).toEqual({ LD_LIBRARY_PATH: "/cache/cuda/lib:/cache/cudnn/lib:/usr/local/lib", HOME: "/home" });
  expect(missingEnvironment(setup, environment)).toBeUndefined();
});

test("it does not where there are none to find", () => {
  expect(missingEnvironment({ libraryPath: [] }, {})).toBeUndefined();
  expect(missingEnvironment(undefined, {})).toBeUndefined();
});
