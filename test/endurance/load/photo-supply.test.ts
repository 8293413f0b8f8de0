import { expect, test } from "vitest";
import { decodeImage } from "../../../captioner/images/decode-image.ts";
import { photoIdsOf } from "../../../shared/photo-id.ts";
import { PhotoSupply } from "./photo-supply.ts";

const preprocessing = { width: 8, height: 8, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 } as const;

test("gives photos of which no two share an id of either kind, though some share their pixels", async () => {
  const supply = await PhotoSupply.of(2);
  const photos = Array.from({ length: 6 }, () => supply.next());
  const ids = await Promise.all(photos.map(({ bytes }) => photoIdsOf(bytes)));

  expect(ids.map((each) => each.id)).toEqual(photos.map(({ id }) => id));
  expect(new Set(ids.map((each) => each.id)).size).toBe(6);
  expect(new Set(ids.map(({ contentId }) => contentId ?? "none")).size).toBe(6);
  const settings = { preprocessing, maxPixels: 1e6 };
  const [first, second, third] = await Promise.all(photos.map(({ bytes }) => decodeImage(bytes, settings)));
  expect(third?.pixels).toEqual(first?.pixels);
  expect(second?.pixels).not.toEqual(first?.pixels);
});
