import { expect, test } from "vitest";
import { Quarantine } from "../../captioner/quarantine.ts";

const refusal = expect.objectContaining({ code: "invalid_image" });

test("refuses a photo with which two engines were lost, and no other", () => {
  const quarantine = new Quarantine();
  expect(quarantine.countLoss("one")).toBe(true);
  expect(quarantine.countLoss("other")).toBe(true);
  quarantine.admit("one");
  expect(quarantine.countLoss("one")).toBe(false);
  expect(() => quarantine.admit("one")).toThrow(refusal);
  quarantine.admit("other");
});

test("forgives a photo that went through after all", () => {
  const quarantine = new Quarantine();
  quarantine.countLoss("one");
  quarantine.release("one");
  expect(quarantine.countLoss("one")).toBe(true);
});

test("refuses a photo that took too long, at once where that was to be expected, else at its second time", () => {
  const quarantine = new Quarantine();
  quarantine.countTimeout("slow", { isSlow: true });
  quarantine.countTimeout("usual", { isSlow: false });
  const message = "this photo was not decoded in time: it is refused for a while";
  expect(() => quarantine.admit("slow")).toThrow(expect.objectContaining({ code: "invalid_image", message }));
  quarantine.admit("usual");
  quarantine.countTimeout("usual", { isSlow: false });
  expect(() => quarantine.admit("usual")).toThrow(refusal);
});
