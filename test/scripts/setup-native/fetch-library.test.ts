import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { downloadFile } from "../../../scripts/setup-native/fetch-library.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { freePort } from "../../support/free-port.ts";
import { startMadeServer } from "../../support/made-server.ts";
import { keepQuiet } from "./quiet.ts";

test("fetches a file under its own name", async () => {
  const said = keepQuiet();
  const path = await download(await serve((_, response) => response.end("the wheel")));

  expect(path).toMatch(/\/tensorflow\.whl$/);
  expect(await readFile(path, "utf8")).toBe("the wheel");
  expect(said()).toContain("fetching tensorflow.whl, 1 MB");
});

test("says when the server breaks off", async () => {
  keepQuiet();
  const origin = await serve((_, response) => {
    response.writeHead(200, { "Content-Length": 1000 });
    response.write("the wh", () => response.destroy());
  });

  await expect(download(origin)).rejects.toThrow(`${origin}/wheels/tensorflow.whl broke off (`);
});

test("says what the server answered instead", async () => {
  const origin = await serve((_, response) => response.writeHead(404).end());

  await expect(download(origin)).rejects.toThrow(`${origin}/wheels/tensorflow.whl: expected status 200, received 404`);
});

test("says what to do where there is no network", async () => {
  const origin = `http://127.0.0.1:${await freePort()}`;

  await expect(download(origin)).rejects.toThrow(
    /cannot be reached \(.*ECONNREFUSED.*\): fetch it elsewhere and pass it with --from$/,
  );
});

async function download(origin: string): Promise<string> {
  const { signal } = new AbortController();
  return downloadFile(`${origin}/wheels/tensorflow.whl?token=x`, { folder: await temporaryFolder(), signal });
}

async function serve(answer: RequestListener): Promise<string> {
  const { origin, stop } = await startMadeServer(answer);
  onTestFinished(stop);
  return origin;
}
