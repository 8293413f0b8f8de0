import { afterEach, describe, expect, it } from "vitest";
import { BufferHold } from "../../edge/buffer-hold.ts";
import { isolateState } from "../../edge/isolate-state.ts";
import { callWorker, readProblem, watchWarnings } from "./call-worker.ts";

const mebibyte = 1024 * 1024;

afterEach(() => expect(isolateState.bufferedBytes).toBe(0));

describe("the isolate's memory", () => {
  it("is shared by uploads up to 64 MiB, and free again when they are done", () => {
    const holds = [new BufferHold(), new BufferHold(), new BufferHold()];
    for (const hold of holds) hold.growTo(20 * mebibyte);
    expect(isolateState.bufferedBytes).toBe(60 * mebibyte);
    expect(() => new BufferHold().growTo(5 * mebibyte)).toThrow(expect.objectContaining({ code: "overloaded" }));
    for (const hold of holds) hold.release();
  });

  it("counts an upload once, by the most it was said to take", () => {
    const hold = new BufferHold();
    for (const bytes of [1000, 10, 500, 1001]) hold.growTo(bytes);
    expect(isolateState.bufferedBytes).toBe(1001);
    hold.release();
    hold.release();
  });

  it("is refused to a further upload with 503 and Retry-After, before that is read", async () => {
    watchWarnings();
    const hold = new BufferHold();
    hold.growTo(64 * mebibyte);
    const headers = { "Content-Length": "100" };
    const response = await callWorker("/v1/captions", { method: "POST", body: new Uint8Array(100), headers });
    expect(response.headers.get("Retry-After")).toBe("1");
    await readProblem(response, "overloaded");
    expect(isolateState.bufferedBytes).toBe(64 * mebibyte);
    hold.release();
  });

  it("is counted while an upload without Content-Length arrives", async () => {
    watchWarnings();
    const hold = new BufferHold();
    hold.growTo(64 * mebibyte - 100_000);
    const response = await callWorker("/v1/captions", { method: "POST", body: new Uint8Array(200_000) });
    await readProblem(response, "overloaded");
    hold.release();
  });
});
