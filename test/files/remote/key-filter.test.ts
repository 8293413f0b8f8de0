import { expect, test } from "vitest";
import { PassedOver } from "../../../files/find/search-result.ts";
import { KeyFilter } from "../../../files/remote/key-filter.ts";

test.each([
  ["2026/a.jpg", true, {}],
  ["2026/a.JPEG", true, {}],
  ["2026/day/b.heic", true, {}],
  ["2026/", false, {}],
  ["2026/day/.b.jpg", false, { hidden: 1 }],
  ["2026/.day/b.jpg", false, { hidden: 1 }],
  ["2026/@eaDir/b.jpg", false, { system: 1 }],
  ["2026/b.cr2", false, { raw: 1 }],
  ["2026/b.mp4", false, { video: 1 }],
  ["2026/b.psd", false, { picture: 1 }],
  ["2026/b", false, { other: 1 }],
])("%s is a photo: %s", (key, expected, counts) => {
  const passedOver = new PassedOver();
  expect(new KeyFilter("2026/", passedOver).isPhoto(key)).toBe(expected);
  expect(passedOver.toJson()).toEqual(counts);
});

test("a folder that is passed over counts once, and a prefix may name one", () => {
  const passedOver = new PassedOver();
  const filter = new KeyFilter("", passedOver);
  expect(["#recycle/a.jpg", "#recycle/below/b.jpg"].map((key) => filter.isPhoto(key))).toEqual([false, false]);
  expect(passedOver.toJson()).toEqual({ system: 1 });
  expect(new KeyFilter("#recycle/", passedOver).isPhoto("#recycle/a.jpg")).toBe(true);
  expect(new KeyFilter("2026/IMG_", passedOver).isPhoto("2026/IMG_1.jpg")).toBe(true);
});
