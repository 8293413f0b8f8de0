import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fetchWeights } from "../../../scripts/encoder/fetch-weights.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { freePort } from "../../support/free-port.ts";
import { startMadeServer } from "../../support/made-server.ts";
import { keepQuiet } from "../setup-native/quiet.ts";

const weights = Buffer.from("weights of a network");
const sha256 = createHash("sha256").update(weights).digest("hex");
const release = { file: "weights.h5", bytes: weights.length, sha256 };

test("fetches a file once, and keeps it under its name", async () => {
  const said = keepQuiet();
  const asked: unknown[] = [];
  const address = await serve((request, response) => {
    asked.push(request.url);
    response.end(weights);
  });
  const cacheFolder = join(await temporaryFolder(), "cache");
  const path = await fetchFrom(address, cacheFolder);

  expect(path).toBe(join(cacheFolder, "weights.h5"));
  expect(await readFile(path)).toEqual(weights);
  expect(said()).toContain("fetching weights.h5");
  expect(await fetchFrom(address, cacheFolder)).toBe(path);
  expect(asked).toEqual(["/keras/weights.h5"]);
  expect(await readdir(cacheFolder)).toEqual(["weights.h5"]);
});

test("fetches again what is no longer what it was", async () => {
  keepQuiet();
  const cacheFolder = await temporaryFolder();
  const address = await serve((_, response) => response.end(weights));
  const path = await fetchFrom(address, cacheFolder);
  await writeFile(path, weights.toReversed());

  expect(await readFile(await fetchFrom(address, cacheFolder))).toEqual(weights);
});

test.each<[string, RequestListener, RegExp]>([
  [
    "another file of the same size",
    (_, response) => response.end(weights.toReversed()),
    new RegExp(`expected sha256 ${sha256} for weights\\.h5, found [0-9a-f]{64}: it is not what was pinned$`),
  ],
  [
    "a file of another size",
    (_, response) => response.end("<!doctype html>"),
    /expected 20 bytes for weights\.h5, found 15: fetch it again$/,
  ],
  ["status 404", (_, response) => response.writeHead(404).end(), /: expected status 200, received 404$/],
  [
    "half of it",
    (_, response) => {
      response.writeHead(200, { "Content-Length": weights.length });
      response.write(weights.subarray(0, 10), () => response.destroy());
    },
    /\/keras\/weights\.h5 broke off \(.*\): fetch it again$/,
  ],
])("keeps nothing of %s, and says what came", async (_, answer, sentence) => {
  keepQuiet();
  const cacheFolder = await temporaryFolder();

  await expect(fetchFrom(await serve(answer), cacheFolder)).rejects.toThrow(sentence);
  expect(await readdir(cacheFolder)).toEqual([]);
});

test("says what to do where the network refuses", async () => {
  const cacheFolder = await temporaryFolder();

  await expect(fetchFrom(`http://127.0.0.1:${await freePort()}/keras`, cacheFolder)).rejects.toThrow(
    /weights\.h5 cannot be reached \(.*ECONNREFUSED.*\): fetch it elsewhere and pass it with --weights$/,
  );
  expect(await readdir(cacheFolder)).toEqual([]);
});

function fetchFrom(address: string, cacheFolder: string): Promise<string> {
  return fetchWeights({ release, address, cacheFolder, signal: new AbortController().signal });
}

/** The address of a folder on a server of the test's own. */
async function serve(answer: RequestListener): Promise<string> {
  const { origin, stop } = await startMadeServer(answer);
  onTestFinished(stop);
  return `${origin}/keras`;
}
