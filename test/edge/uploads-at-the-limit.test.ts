import { beforeEach, expect, test } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { freshPhoto, postPhoto, readProblem, startFreshDeployment, watchWarnings } from "./call-worker.ts";

const maxBytes = 20 * 1024 * 1024;

beforeEach(startFreshDeployment);

/** Makes a photo of an exact number of bytes: bytes after its end are ignored. */
function photoOf(bytes: number): Uint8Array<ArrayBuffer> {
  const photo = new Uint8Array(bytes);
  photo.set(freshPhoto());
  return photo;
}

test("of 20 uploads at once at the byte limit each gets 200 or 503, and all their room comes back", async () => {
  watchWarnings();
  const responses = await Promise.all(Array.from({ length: 20 }, () => postPhoto(photoOf(maxBytes))));
  const refused = responses.filter(({ status }) => status !== 200);
  for (const response of refused) await readProblem(response, "overloaded");
  expect(refused.length).toBeLessThan(20);
  expect(refused.length).toBeGreaterThan(0);
  expect(isolateState.bufferedBytes).toBe(0);
}, 30_000);
