import { expect, test } from "vitest";
import { LethalPhotos } from "../../gpu-service/lethal-photos.ts";

const refusal = expect.objectContaining({ code: "invalid_image" });

test("refuses a photo with which two engines were lost, and no other", () => {
  const lethal = new LethalPhotos();
  expect(lethal.countLoss("one")).toBe(true);
  expect(lethal.countLoss("other")).toBe(true);
  lethal.expectHarmless("one");
  expect(lethal.countLoss("one")).toBe(false);
  expect(() => lethal.expectHarmless("one")).toThrow(refusal);
  lethal.expectHarmless("other");
});

test("forgives a photo that went through after all", () => {
  const lethal = new LethalPhotos();
  lethal.countLoss("one");
  lethal.forgive("one");
  expect(lethal.countLoss("one")).toBe(true);
});
