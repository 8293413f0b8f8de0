import { expect, test } from "vitest";
import { LethalPhotos } from "../../captioner/lethal-photos.ts";

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

test("refuses a photo that took too long, at once where that was to be expected, else at its second time", () => {
  const lethal = new LethalPhotos();
  lethal.countTimeout("slow", { isCostly: true });
  lethal.countTimeout("usual", { isCostly: false });
  const message = "this photo was not decoded in time: it is refused for a while";
  expect(() => lethal.expectHarmless("slow")).toThrow(expect.objectContaining({ code: "invalid_image", message }));
  lethal.expectHarmless("usual");
  lethal.countTimeout("usual", { isCostly: false });
  expect(() => lethal.expectHarmless("usual")).toThrow(refusal);
});
