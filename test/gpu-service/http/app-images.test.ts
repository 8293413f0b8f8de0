import { afterAll, beforeAll, expect, test } from "vitest";
import { captionResultSchema } from "../../../shared/contract.ts";
import { imageFormats } from "../../../shared/image-header.ts";
import { heicHeader, hugePng, madeImage, svgFile, textFile, truncatedJpeg } from "../../fixtures/made-images.ts";
import { postCaption, problemOf, type RunningService, startService } from "../running-service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.stop();
});

test.each(imageFormats)("captions %s", async (format) => {
  const response = await postCaption(service, await madeImage(format));

  expect(captionResultSchema.parse(await response.json()).image.format).toBe(format);
});

test("goes by the bytes where the media type says otherwise", async () => {
  const response = await postCaption(service, await madeImage("png"), { headers: { "Content-Type": "image/jpeg" } });

  expect(captionResultSchema.parse(await response.json()).image.format).toBe("png");
});

test.each([
  { name: "a text file", file: textFile(), status: 415, code: "unsupported_media_type" },
  { name: "an SVG", file: svgFile(), status: 415, code: "unsupported_media_type" },
  { name: "a HEIC", file: heicHeader(), status: 415, code: "unsupported_media_type" },
  { name: "a PNG of 20 000 × 20 000", file: hugePng(), status: 413, code: "payload_too_large" },
  { name: "a truncated JPEG", file: await truncatedJpeg(), status: 422, code: "invalid_image" },
])("refuses $name", async ({ file, status, code }) => {
  const response = await postCaption(service, file);

  expect(response.status).toBe(status);
  expect(await problemOf(response)).toMatchObject({ code, status });
});

test("names the formats that work to whoever sends another", async () => {
  const { detail } = await problemOf(await postCaption(service, heicHeader()));

  for (const format of imageFormats) expect(detail.toLowerCase()).toContain(format);
});
