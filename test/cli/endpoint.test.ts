import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage, madePhotos } from "../fixtures/made-images.ts";
import { type Run, untilUp, Workplace } from "../scripts/start-script.ts";
import { startMadeServer } from "../support/made-server.ts";
import { edgeCaptionIn } from "./run-command.ts";

let workplace: Workplace;
let run: Run;
let edge: string;

beforeAll(async () => {
  workplace = await Workplace.make();
  run = workplace.start([await workplace.write("first.jpg", await madeImage("jpeg"))]);
  await untilUp(run);
  edge = /edge +(http:\S+)/.exec(run.stdout())?.[1] ?? "";
});
afterAll(async () => {
  run.process.kill("SIGINT");
  await run.exited;
  await workplace.remove();
});

/** Passes requests on to the edge and counts them, and answers the first `refusals` uploads like an edge that is full. */
async function watchedEdge(refusals = 0): Promise<{ origin: string; seen: string[] }> {
  const seen: string[] = [];
  const { origin, stop } = await startMadeServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const [path = ""] = (request.url ?? "").split("?");
    seen.push(`${request.method} ${path}`);
    const isUpload = request.method === "POST" && path === "/v1/captions";
    if (isUpload && seen.filter((one) => one === "POST /v1/captions").length <= refusals) {
      const problem = {
        type: "about:blank",
        title: "Full",
        status: 503,
        code: "overloaded",
        detail: "full",
        requestId: "1",
      };
      response.writeHead(503, { "Content-Type": "application/problem+json", "Retry-After": "1" });
      response.end(JSON.stringify(problem));
      return;
    }
    const { method = "GET", headers } = request;
    const type = headers["content-type"];
    const reply = await fetch(`${edge}${request.url}`, {
      method,
      ...(type === undefined ? {} : { headers: { "Content-Type": type } }),
      ...(body.length === 0 ? {} : { body }),
    });
    response.writeHead(reply.status, { "Content-Type": reply.headers.get("Content-Type") ?? "" });
    response.end(Buffer.from(await reply.arrayBuffer()));
  });
  onTestFinished(stop);
  return { origin, seen };
}

test("captions at an endpoint, waits when it is full, and uploads no photo that it knows already", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  for (const [index, bytes] of (await madePhotos(12, { width: 80, height: 60 })).entries()) {
    await writeFile(join(folder, `photos/${index}.jpg`), bytes);
  }
  await writeFile(join(folder, "photos/broken.jpg"), "no photo");
  const first = await watchedEdge(2);
  const { code, stderr } = await edgeCaptionIn(
    folder,
    "caption",
    "photos",
    "--endpoint",
    first.origin,
    "--jsonl",
    "a.jsonl",
  );
  expect(code).toBe(1);
  expect(stderr).toContain("photos/broken.jpg: expected a JPEG");
  expect(stderr).toContain("12 captioned, 1 failed");
  expect(first.seen.filter((request) => request === "POST /v1/captions")).toHaveLength(12 + 1 + 2);
  expect(first.seen.filter((request) => request.endsWith("/lookup")).length).toBeLessThanOrEqual(5);

  const second = await watchedEdge();
  const elsewhere = ["--state", "other.jsonl", "--jsonl", "b.jsonl"];
  await edgeCaptionIn(folder, "caption", "photos", "--endpoint", second.origin, ...elsewhere);
  expect(second.seen.filter((request) => request === "POST /v1/captions")).toHaveLength(1); // the broken one
  expect(await readFile(join(folder, "b.jsonl"), "utf8")).toBe(await readFile(join(folder, "a.jsonl"), "utf8"));

  const third = await watchedEdge();
  await edgeCaptionIn(folder, "caption", "photos", "--endpoint", third.origin, "--jsonl", "a.jsonl");
  expect(third.seen.filter((request) => request.endsWith("/lookup"))).toHaveLength(1); // for the broken one
}, 60_000);

test("ends with one sentence if the endpoint cannot be reached, and keeps the state", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "a.jpg"), await madeImage("jpeg"));
  const { code, stderr } = await edgeCaptionIn(
    folder,
    "caption",
    ".",
    "--endpoint",
    "http://127.0.0.1:9",
    "--csv",
    "a.csv",
  );
  expect({ code, stderr }).toEqual({ code: 1, stderr: "127.0.0.1:9 could not be reached\n" });
  for (const ofAModelHere of [
    ["--engine", "onnx"],
    ["--precision", "int8"],
  ]) {
    expect(await edgeCaptionIn(folder, "caption", ".", "--endpoint", edge, ...ofAModelHere)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be used with option"),
    });
  }
});

test("ignores PRECISION at an endpoint", async () => {
  vi.stubEnv("PRECISION", "int8");
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = await temporaryFolder();
  await writeFile(join(folder, "a.jpg"), await madeImage("jpeg"));
  expect(await edgeCaptionIn(folder, "caption", ".", "--endpoint", "http://127.0.0.1:9")).toMatchObject({
    code: 1,
    stderr: "127.0.0.1:9 could not be reached\n",
  });
});
