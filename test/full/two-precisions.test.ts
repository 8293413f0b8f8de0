import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { captionResultSchema, modelCardSchema } from "../../shared/contract.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { freePort } from "../support/free-port.ts";

/** The edge with its cache in a folder, and behind it the service on the tiny bundle in this precision. */
async function startAt(precision: string, places: { stateDir: string; edgePort: number }) {
  vi.stubEnv("PRECISION", precision);
  const servers = await startTinyDeployment(places);
  vi.unstubAllEnvs();
  onTestFinished(() => servers.stop());
  const card = modelCardSchema.parse(await (await fetch(`${servers.edge}/v1/model`)).json());
  expect(card.precision).toBe(precision);
  return {
    revision: card.revision,
    stop: () => servers.stop(),
    /** What is said of the astronaut, and whether it came from the cache. */
    async caption() {
      const body = new Uint8Array(await readFile(photoPath("astronaut")));
      const reply = await fetch(`${servers.edge}/v1/captions`, { method: "POST", body });
      const isHit = reply.headers.get("Cache-Status")?.includes("; hit") ?? false;
      return { isHit, result: captionResultSchema.parse(await reply.json()) };
    },
  };
}

test("serves captions of float32 and int8 under a revision each, and never one for the other", {
  timeout: 180_000,
}, async () => {
  const places = { stateDir: await temporaryFolder(), edgePort: await freePort() };
  const float32 = await startAt("float32", places);
  const exact = await float32.caption();
  expect(exact.isHit).toBe(false);
  expect(exact.result.model.revision).toBe(float32.revision);
  await float32.stop();

  const int8 = await startAt("int8", places);
  expect(int8.revision).not.toBe(float32.revision);
  const whole = await int8.caption();
  expect(whole.isHit).toBe(false);
  expect(whole.result.model.revision).toBe(int8.revision);
  expect(whole.result.candidates[0]?.logProb).not.toBe(exact.result.candidates[0]?.logProb);
  await vi.waitFor(async () => expect(await int8.caption()).toEqual({ isHit: true, result: whole.result }), 10_000);
  await int8.stop();

  const again = await startAt("float32", places);
  expect(await again.caption()).toEqual({ isHit: true, result: exact.result });
});
