import pMap from "p-map";
import { expect, onTestFinished, test } from "vitest";
import { memoryMiBOf } from "../../bench/running-service.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { postCaption, startService } from "../gpu-service/running-service.ts";

const requests = 5000;
const early = 1000;
/** What a collection that is due may make of a difference. */
const slackMiB = 60;

test("service and engine take no more memory after 5 000 requests than after the first thousand", {
  timeout: 600_000,
}, async () => {
  const service = await startService();
  onTestFinished(async () => void (await service.stop()));
  const photos = await madePhotos(64);
  const captionMany = (turns: number) =>
    pMap(
      Array(turns).keys(),
      async (turn) => {
        const response = await postCaption(service, photos[turn % photos.length] ?? new Uint8Array());
        await response.arrayBuffer();
        return response.status;
      },
      { concurrency: 24 },
    );
  const statuses = await captionMany(early);
  const before = await memoryMiBOf(service);
  statuses.push(...(await captionMany(requests - early)));
  const after = await memoryMiBOf(service);

  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statuses).toHaveLength(requests);
  expect(after - before).toBeLessThan(slackMiB);
});
