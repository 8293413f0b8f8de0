import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openBundle } from "../../../captioner/bundle.ts";
import type { PrecisionChoice } from "../../../captioner/engine.ts";
import { EnginePool, type PoolEvents } from "../../../captioner/engines/engine-pool.ts";
import { EngineLost } from "../../../captioner/engines/engine-process.ts";
import type { EngineIdentity } from "../../../captioner/engines/engine-protocol.ts";
import { rememberPrecision } from "../../../captioner/onnx/precision-memory.ts";
import { defaultCaptionOptions } from "../../../shared/caption-options.ts";
import { sealBundle } from "../../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../../fixtures/bundles.ts";
import { childrenOf } from "../../support/process-table.ts";

const pixels = new Uint8Array(299 * 299 * 3);

interface Wanted {
  engines?: number;
  folder?: string;
  precision?: PrecisionChoice;
  silenceLimitMs?: number;
  startLimitMs?: number;
  memoryLimitBytes?: number;
}

/** A pool of real engines on the tiny bundle, and what it has told. */
async function tinyPool({ engines = 1, ...limits }: Wanted = {}) {
  const others = childrenOf(process.pid);
  const lost: EngineLost[] = [];
  const onFree = vi.fn();
  const replaced: EngineIdentity[] = [];
  const failedStarts: string[] = [];
  const events: PoolEvents = {
    onLost: (error) => void lost.push(error),
    onReplaced: (identity) => void replaced.push(identity),
    onFailedStart: ({ message }) => void failedStarts.push(message),
  };
  const starting = EnginePool.start({
    folder: tinyBundle,
    choice: "onnx",
    precision: "float32",
    engines,
    gpus: [],
    silenceLimitMs: 60_000,
    startLimitMs: 60_000,
    memoryLimitBytes: 2 ** 40,
    onFree,
    events,
    ...limits,
  });
  /** Its engines' processes that are there now. */
  const children = () => childrenOf(process.pid).filter((pid) => !others.includes(pid));
  const killFirst = () => {
    const [child] = children();
    if (child === undefined) throw new Error("expected an engine, found none"); // 0 would be our own group
    process.kill(child, "SIGKILL");
  };
  onTestFinished(async () => (await starting).close());
  return { starting, lost, replaced, failedStarts, onFree, children, killFirst };
}

const captionOne = (pool: EnginePool) => pool.run([pixels], [defaultCaptionOptions]);

describe("an engine", () => {
  test("that dies is replaced, and its batch fails with what has happened", async () => {
    const { starting, lost, onFree, children } = await tinyPool();
    const pool = await starting;
    const child = children()[0] ?? Number.NaN;
    const batch = captionOne(pool);
    process.kill(child, "SIGKILL");
    await expect(batch).rejects.toBeInstanceOf(EngineLost);
    expect([pool.ready, pool.canTake({ isFull: true })]).toEqual([0, false]);
    await vi.waitFor(() => expect(onFree).toHaveBeenCalledOnce(), 10_000);
    expect(lost.map(({ reason }) => reason)).toEqual(["died"]);
    expect(children()).not.toContain(child);
    expect((await captionOne(pool)).captions).toHaveLength(1);
  });

  test("is replaced by one of its precision, whatever auto would be by then", async () => {
    vi.stubEnv("EDGE_CAPTION_CACHE", await temporaryFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    const memory = { bundle: await openBundle(tinyBundle), threads: availableParallelism() };
    await rememberPrecision(memory.bundle, { ...memory, precision: "int8" });
    const { starting, replaced, killFirst } = await tinyPool({ precision: "auto" });
    expect((await starting).identity.precision).toBe("int8");
    await rememberPrecision(memory.bundle, { ...memory, precision: "float32" });
    killFirst();
    await vi.waitFor(() => expect(replaced.map(({ precision }) => precision)).toEqual(["int8"]), 10_000);
  });

  test.each(["with a batch", "with nothing to do"])("that hangs %s is replaced within its limit", async (how) => {
    const { starting, lost, onFree, children } = await tinyPool({ silenceLimitMs: 1000 });
    const pool = await starting;
    for (const child of children()) process.kill(child, "SIGSTOP");
    if (how === "with a batch") {
      await expect(captionOne(pool)).rejects.toThrow("the engine did not answer for 1000 ms");
    }
    await vi.waitFor(() => expect(onFree).toHaveBeenCalledOnce(), 10_000);
    expect(lost.map(({ reason }) => reason)).toEqual(["hung"]);
    expect((await captionOne(pool)).captions).toHaveLength(1);
  });

  test("that answers in time is left alone, though it is idle for longer than its limit", async () => {
    const { starting, lost } = await tinyPool({ silenceLimitMs: 1000 });
    const pool = await starting;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(lost).toEqual([]);
    expect(pool.canTake({ isFull: false })).toBe(true);
  });

  test("that grows above its limit is replaced behind its batch, which is answered", async () => {
    const { starting, lost, onFree } = await tinyPool({ memoryLimitBytes: 2 ** 20 });
    const pool = await starting;
    expect((await captionOne(pool)).captions).toHaveLength(1);
    expect(pool.canTake({ isFull: true })).toBe(false);
    await vi.waitFor(() => expect(onFree).toHaveBeenCalledOnce(), 10_000);
    expect(lost.map(({ reason }) => reason)).toEqual(["grown"]);
  });

  test.each(["SIGKILL", "SIGSTOP"] as const)("that %s stops while it warms up is started again", async (signal) => {
    const { starting, failedStarts, children } = await tinyPool({ startLimitMs: 5000 });
    await vi.waitFor(() => expect(children()).toHaveLength(1), 5000);
    const child = children()[0] ?? Number.NaN;
    process.kill(child, signal);
    const pool = await starting;
    expect((await captionOne(pool)).captions).toHaveLength(1);
    expect(children()).not.toContain(child);
    expect(failedStarts[0]).toBe("the engine ended with SIGKILL while it started");
  });

  test.each([
    ["", 0],
    [", though it was asked for a sign of life before", 700],
  ])("that is lost says which of its batches it had begun with%s", async (_, pauseMs) => {
    const { starting, children } = await tinyPool({ silenceLimitMs: 60_000 });
    const pool = await starting;
    const child = children()[0] ?? Number.NaN;
    process.kill(child, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const batches = Promise.allSettled([captionOne(pool), captionOne(pool)]);
    process.kill(child, "SIGKILL");
    expect(await batches).toMatchObject([{ reason: { wasBegun: true } }, { reason: { wasBegun: false } }]);
  });
});

describe("two engines", () => {
  test("start side by side, and one goes on while the other is replaced", async () => {
    const { starting, onFree, children, killFirst } = await tinyPool({ engines: 2 });
    await vi.waitFor(() => expect(children()).toHaveLength(2), 5000);
    const pool = await starting;
    expect(pool.ready).toBe(2);
    killFirst();
    await vi.waitFor(() => expect(pool.ready).toBe(1));
    while (pool.ready === 1) expect((await captionOne(pool)).captions).toHaveLength(1);
    expect(onFree).toHaveBeenCalledOnce();
  });

  test("take a batch each, and then another that is full", async () => {
    const { starting } = await tinyPool({ engines: 2 });
    const pool = await starting;
    const room = () => [pool.canTake({ isFull: false }), pool.canTake({ isFull: true })];
    const batches = [captionOne(pool), captionOne(pool)];
    expect(room()).toEqual([false, true]);
    batches.push(captionOne(pool), captionOne(pool));
    expect(room()).toEqual([false, false]);
    expect(await Promise.all(batches)).toHaveLength(4);
    expect(room()).toEqual([true, true]);
  });
});

test("a pool gives up where its bundle has become another", async () => {
  const folder = await copyTinyBundle();
  const { starting, killFirst } = await tinyPool({ folder });
  const pool = await starting;
  const before = pool.identity.revision;
  const path = join(folder, "manifest.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), id: "another" }));
  const { revision } = await sealBundle(folder);
  killFirst();
  expect(await pool.gaveUp).toEqual(
    new Error(`the bundle is not the one that was loaded: ${before} became ${revision}`),
  );
});

test("a pool gives up where its bundle cannot be read any more", async () => {
  const folder = await copyTinyBundle();
  const { starting, killFirst } = await tinyPool({ folder });
  const pool = await starting;
  await writeFile(join(folder, "vocabulary.json"), "");
  killFirst();
  expect((await pool.gaveUp).message).toContain(join(folder, "vocabulary.json"));
});
