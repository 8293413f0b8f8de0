import { beforeEach, describe, expect, test } from "vitest";
import { faultyService, freshPhoto, postPhoto, readCaption, startFreshDeployment } from "./call-worker.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const sender = "b7ad6b7169203331";

beforeEach(startFreshDeployment);

/** What the service is told of the trace of a request, where a collector is set that nobody runs. */
async function traceAtTheService({ flags, share = "1" }: { flags?: string; share?: string }): Promise<string> {
  const response = await postPhoto(freshPhoto(), {
    headers: flags === undefined ? {} : { traceparent: `00-${traceId}-${sender}-${flags}` },
    environment: {
      ...faultyService("otherRevision"),
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_TRACES_SAMPLER_ARG: share,
    },
  });
  expect(response.status).toBe(200);
  return JSON.parse((await readCaption(response)).caption).traceparent;
}

describe("where a collector is set, though none is there, the service", () => {
  test.each([["01"], ["00"]])("records its part of the sender's trace, as the sender's flags %s say", async (flags) => {
    const [version, trace, span, sampled] = (await traceAtTheService({ flags })).split("-");
    expect([version, trace, sampled]).toEqual(["00", traceId, flags]);
    expect(span).toMatch(/^[0-9a-f]{16}$/);
    expect(span).not.toBe(sender);
  });

  test("records no more than the share, whatever the sender's flag asks for", async () => {
    const [, trace, , sampled] = (await traceAtTheService({ flags: "01", share: "0" })).split("-");
    expect([trace, sampled]).toEqual([traceId, "00"]);
  });

  test.each([
    ["1", "01"],
    ["0", "00"],
  ])("records its part of a new trace, of a share of %s of them", async (share, flags) => {
    const seen = [await traceAtTheService({ share }), await traceAtTheService({ share })];
    for (const traceparent of seen) expect(traceparent).toMatch(new RegExp(`^00-[0-9a-f]{32}-[0-9a-f]{16}-${flags}$`));
    expect(new Set(seen.map((traceparent) => traceparent.split("-")[1])).size).toBe(2);
  });
});
