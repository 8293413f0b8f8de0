import { cp, mkdtemp, rm, truncate } from "node:fs/promises";
import { getPriority, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort, takePort } from "../support/free-port.ts";
import { aliveOf, childrenOf, descendantsOf } from "../support/process-table.ts";
import { problemOf, runService, spawnService, startService, tinyBundle } from "./running-service.ts";

test("stops at a bad setting with a sentence that names it", async () => {
  const { code, stdout, stderr } = await runService({ MAX_BATCH: "many" });

  expect(stderr).toBe('edge-caption service: MAX_BATCH: expected a whole number from 1 to 256, received "many"\n');
  expect(stdout).toBe("");
  expect(code).toBe(2);
});

test("stops at an argument, since settings come from the environment", async () => {
  const { code, stderr } = await runService({}, ["--port=80"]);

  expect(stderr).toContain("expected no argument but --help, received --port=80");
  expect(code).toBe(2);
});

test("lists its settings for --help", async () => {
  const { code, stdout } = await runService({ SERVICE_SECRETS: undefined }, ["--help"]);

  expect(stdout).toContain("SERVICE_SECRETS");
  expect(code).toBe(0);
});

test("stops at a taken port with one sentence", async () => {
  const { port, server } = await takePort();
  const { code, stderr } = await runService({ PORT: `${port}` });
  server.close();

  expect(stderr).toBe(`edge-caption service: cannot listen on 127.0.0.1:${port}: PORT is taken by another process\n`);
  expect(code).toBe(1);
});

test("stops at a folder that holds no bundle with one sentence", async () => {
  const { code, stderr } = await runService({ MODEL_DIR: "/nowhere" });

  expect(stderr).toMatch(/^edge-caption service: .*\/nowhere.*\n$/);
  expect(code).toBe(1);
});

test("stops at a damaged bundle with one sentence that names the file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(tinyBundle, folder, { recursive: true });
  await truncate(join(folder, "decoder/weights.bin"), 100);
  const { code, stderr } = await runService({ MODEL_DIR: folder });

  expect(stderr).toMatch(/^edge-caption service: .*decoder\/weights\.bin.*\n$/);
  expect(code).toBe(1);
});

test("lives before it is ready", async () => {
  const port = await freePort();
  const service = spawnService({ PORT: `${port}` });
  onTestFinished(() => void service.kill("SIGKILL"));
  let logged = "";
  service.stdout.on("data", (chunk) => {
    logged += chunk;
  });
  const livez = await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/livez`), { timeout: 20_000, interval: 10 });
  const readyz = await fetch(`http://127.0.0.1:${port}/readyz`);

  expect(livez.status).toBe(200);
  expect(readyz.status).toBe(503);
  expect(readyz.headers.get("Retry-After")).toBe("1");
  expect(await problemOf(readyz)).toMatchObject({ code: "overloaded", detail: expect.stringContaining("starting") });
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), 20_000);
  await vi.waitFor(() => expect(logged).toContain('"listening"'));
  expect(logged).not.toContain('"request"'); // probes of a service that starts are nothing to tell
});

test("leaves no engine behind when it is killed", async () => {
  const service = await startService();
  const children = descendantsOf(service.process.pid ?? 0);
  expect(children).not.toEqual([]);
  await service.stop("SIGKILL");

  await vi.waitFor(() => expect(aliveOf(children)).toEqual([]), 5000);
});

test("its engine runs below it, also where it runs at a low priority itself", async () => {
  const child = spawnService({});
  setPriority(child.pid ?? 0, Math.min(19, getPriority() + 9));
  const service = await startService({}, child);
  onTestFinished(async () => void (await service.stop("SIGKILL")));
  const [engine = Number.NaN] = childrenOf(service.process.pid ?? 0).slice(-1);

  expect(getPriority(engine)).toBe(Math.min(19, getPriority(service.process.pid) + 5));
});
