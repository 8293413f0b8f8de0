import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceProgram, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { ProcessGroup } from "../../scripts/start/process-group.ts";
import { wranglerProgram } from "../../scripts/wrangler.ts";
import { madeImage } from "../fixtures/made-images.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { freePort } from "../support/free-port.ts";
import { keepOutput } from "../support/kept-output.ts";

const mebibyte = 1024 * 1024;
const sizes = [1, 1000, 300_000, 2_000_000, 30 * mebibyte];
const secret = "a secret of this test alone";
const photo = await madeImage("jpeg");

interface Refusal {
  method: string;
  path: string;
  type?: string;
  coding?: string;
}

/** Every kind of path and method, and each refusal that comes before a body is read. */
const refusals: Refusal[] = [
  ...["/", "/docs", "/docs/", "/openapi.json", "/nothing", "/healthz", "/readyz", "/v1/model", "/model/predict"].map(
    (path) => ({ method: "POST", path }),
  ),
  ...["PUT", "PATCH", "DELETE", "OPTIONS", "GET", "HEAD"].map((method) => ({ method, path: "/" })),
  { method: "GET", path: "/v1/captions" },
  { method: "GET", path: "/v1/captions/sha256:00" },
  { method: "DELETE", path: "/v1/captions/sha256:00" },
  { method: "POST", path: "/v1/captions?beam=0" },
  { method: "POST", path: "/v1/captions" },
  { method: "POST", path: "/v1/captions", type: "application/x-www-form-urlencoded" },
  { method: "POST", path: "/v1/captions", type: "application/json" },
  { method: "POST", path: "/v1/captions", type: "multipart/form-data" },
  { method: "POST", path: "/v1/captions", coding: "gzip" },
  { method: "POST", path: "/v1/captions/lookup", type: "application/json" },
  { method: "POST", path: "/cdn-cgi/nothing" },
];

/** A connection a request: on one that is kept, a client notices too late that the other side has closed it. */
const agent = new Agent({ keepAlive: false });

async function send(
  edge: string,
  { method, path, type = "image/jpeg", coding, bytes, isChunked }: Refusal & { bytes: number; isChunked: boolean },
): Promise<number> {
  const framing = isChunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": bytes };
  const headers = { "Content-Type": type, ...(coding && { "Content-Encoding": coding }), ...framing };
  const sent = request(`${edge}${path}`, { method, agent, headers });
  const answered = once(sent, "response");
  sent.end(Buffer.alloc(bytes, 7));
  const [response] = await answered;
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

async function captionPhoto(edge: string): Promise<number> {
  const response = await fetch(`${edge}/v1/captions`, {
    method: "POST",
    body: photo,
    headers: { Connection: "close" },
  });
  await response.arrayBuffer();
  return response.status;
}

describe("wrangler dev", { timeout: 300_000 }, () => {
  let edge = "";
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => ({ edge, stop } = await startWranglerDev()), 90_000);
  afterAll(() => stop());

  test.each(refusals)("and the next caller survive $method $path of $type $coding, long and short", async (refusal) => {
    for (const bytes of sizes) {
      for (const isChunked of [false, true]) {
        const status = await send(edge, { ...refusal, bytes, isChunked });
        const next = await captionPhoto(edge);
        expect({ bytes, isChunked, isRefused: status < 500, next }).toEqual({
          bytes,
          isChunked,
          isRefused: true,
          next: 200,
        });
      }
    }
  });
});

describe("the edge of npm start", { timeout: 120_000 }, () => {
  let edge = "";
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => ({ edge, stop } = await startTinyDeployment()), 90_000);
  afterAll(() => stop());

  test.each(["/", "/nothing", "/v1/captions", "/v1/captions/lookup"])(
    "and the next caller survive clients that leave in the middle of POST %s",
    async (path) => {
      for (const bytes of [1, 1000, 100_000, 1_000_000]) {
        for (const waitMs of [0, 5, 100]) {
          const socket = connect(Number(new URL(edge).port), "127.0.0.1");
          socket.on("error", () => undefined);
          await once(socket, "connect");
          socket.write(`POST ${path} HTTP/1.1\r\nHost: edge\r\nContent-Length: 4000000\r\n\r\n`);
          socket.write(Buffer.alloc(bytes));
          await setTimeout(waitMs);
          socket.destroy();
          expect([await captionPhoto(edge), await captionPhoto(edge)]).toEqual([200, 200]);
        }
      }
    },
  );
});

/** The command that people type, in front of the service on the tiny bundle. */
async function startWranglerDev(): Promise<{ edge: string; stop: () => Promise<void> }> {
  const stateDir = await mkdtemp(join(tmpdir(), "wrangler-dev-"));
  const [edgePort, servicePort] = [await freePort(), await freePort()];
  const listen = keepOutput;
  const modelDir = "test/fixtures/tiny-bundle";
  const service = new ProcessGroup({ ...serviceProgram({ port: servicePort, modelDir, secret }), listen });
  const dev = new ProcessGroup({
    name: "wrangler dev",
    args: [
      ...[wranglerProgram, "dev", "--ip", "127.0.0.1", "--port", String(edgePort), "--inspector-port", "0"],
      ...["--persist-to", stateDir, "--var", `SERVICE_ORIGINS:http://127.0.0.1:${servicePort}`],
    ],
    environment: {
      CLOUDFLARE_INCLUDE_PROCESS_ENV: "true",
      SERVICE_SECRET: secret,
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_LOG_PATH: join(stateDir, "logs"),
      WRANGLER_REGISTRY_PATH: join(stateDir, "registry"),
    },
    listen,
  });
  const edge = `http://127.0.0.1:${edgePort}`;
  await waitUntilReady({ edge }, AbortSignal.timeout(80_000));
  return {
    edge,
    async stop() {
      await Promise.all([dev.stop(), service.stop()]);
      await rm(stateDir, { recursive: true });
    },
  };
}
