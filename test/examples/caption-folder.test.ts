import { expect, test } from "vitest";
import { pizzaCaption, pizzaConfidence } from "../fixtures/real-photos.ts";
import { runNode } from "../support/run-node.ts";

test("caption-folder.ts prints a line for each of a folder's photos, and ends", async () => {
  const { code, stdout, stderr } = await runNode(["--import", "tsx", "examples/caption-folder.ts", "samples"]);
  expect(code, stderr).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines.map((line) => line.split("\t")[0])).toEqual(
    ["burger", "jockey", "pizza", "plane", "soccer", "surfing"].map((name) => `samples/${name}.jpg`),
  );
  const [, caption, confidence] = lines[2]?.split("\t") ?? [];
  expect(caption).toBe(pizzaCaption);
  expect(Number(confidence)).toBeCloseTo(pizzaConfidence, 1); // in int8 it differs in the second decimal
});
