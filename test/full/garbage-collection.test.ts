import { readFile } from "node:fs/promises";
import pMap from "p-map";
import { expect, onTestFinished, test } from "vitest";
import { photoNames, photoPath } from "../fixtures/real-photos.ts";
import { metricsOf, postCaption, startService } from "../gpu-service/running-service.ts";

test("V8 looks for garbage seldom, though photos pile up outside its heap", async () => {
  const own = await startService();
  onTestFinished(async () => void (await own.stop()));
  const photos = await Promise.all(photoNames.map(async (name) => new Uint8Array(await readFile(photoPath(name)))));
  const before = collectionsIn(await metricsOf(own));
  const sent = Array(150).fill(photos).flat();
  await pMap(sent, (photo) => postCaption(own, photo), { concurrency: 16 });

  const after = await metricsOf(own);
  expect(after).toMatch(/^nodejs_gc_duration_seconds_count\{kind="(major|minor)"\} [1-9]/m); // they are counted
  expect(collectionsIn(after) - before).toBeLessThan(10);
});

/** How often V8 has marked its whole heap. */
function collectionsIn(metrics: string): number {
  return Number(metrics.match(/^nodejs_gc_duration_seconds_count\{kind="major"\} (\d+)$/m)?.[1] ?? 0);
}
