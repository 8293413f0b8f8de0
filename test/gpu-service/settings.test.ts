import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { describeSettings, readSettings } from "../../gpu-service/settings.ts";

const SERVICE_SECRETS = "a secret of the tests";

describe("readSettings", () => {
  test("needs nothing but a secret", () => {
    expect(readSettings({ SERVICE_SECRETS })).toEqual({
      port: 8788,
      metricsPort: undefined,
      host: "127.0.0.1",
      modelDir: resolve("models/default"),
      engine: "auto",
      device: "cpu",
      precision: "auto",
      engines: undefined,
      engineTimeoutMs: 15_000,
      engineStartMs: 120_000,
      engineMemoryMb: 4096,
      maxBatch: 8,
      batchWaitMs: 10,
      maxBytes: 20_971_520,
      maxPixels: 100_000_000,
      maxAvifPixels: 50_000_000,
      allowHeic: false,
      decodeMegapixels: 100,
      decodeThreads: 4,
      decodePatienceMs: 2_500,
      slowPhotos: { perCaller: 4, total: 32 },
      maxQueued: 64,
      maxQueuedBytes: 268_435_456,
      bulkShare: 0.5,
      bulkBatchMs: 50,
      maxDeadlineMs: 25_000,
      bodyTimeoutMs: 15_000,
      drainSeconds: 27,
      logLevel: "info",
      secrets: [SERVICE_SECRETS],
      secretsFile: undefined,
      tracesUrl: undefined,
    });
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" }, "http://127.0.0.1:4318/v1/traces"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example.com/base/" }, "https://otlp.example.com/base/v1/traces"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://one:4318", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://two:4318/spans" },
      "http://two:4318/spans",
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_SDK_DISABLED: "true" }, undefined],
  ])("sends traces, for %j, to %s", (environment, url) => {
    expect(readSettings({ SERVICE_SECRETS, ...environment }).tracesUrl).toBe(url);
  });

  test("takes several secrets, for a rotation", () => {
    const secrets = ["the older of two secrets", "the newer of two secrets"];
    expect(readSettings({ SERVICE_SECRETS: secrets.join(" , ") }).secrets).toEqual(secrets);
  });

  test("takes a file of secrets in their place, by its whole path", () => {
    const { secrets, secretsFile } = readSettings({ SERVICE_SECRETS_FILE: "secrets" });
    expect([secrets, secretsFile]).toEqual([undefined, resolve("secrets")]);
  });

  test("needs no secret where unsigned requests are allowed", () => {
    expect(readSettings({ ALLOW_UNSIGNED: "true" }).secrets).toBeUndefined();
  });

  test.each([
    [{ PORT: "eighty" }, 'PORT: expected a whole number from 0 to 65535, received "eighty"'],
    [{ PORT: "65536" }, 'PORT: expected a whole number from 0 to 65535, received "65536"'],
    [{ MAX_BATCH: "0" }, 'MAX_BATCH: expected a whole number from 1 to 256, received "0"'],
    [{ MAX_BYTES: "1e6" }, 'MAX_BYTES: expected a whole number from 1 to 1073741824, received "1e6"'],
    [{ HOST: "" }, "HOST: expected some text, received none"],
    [{ ENGINES: "65" }, 'ENGINES: expected auto or a whole number from 1 to 64, received "65"'],
    [
      { MAX_QUEUED_BYTES: "1000" },
      "MAX_QUEUED_BYTES: expected at least MAX_BYTES, or the largest photo would always be refused",
    ],
    [{ ENGINE: "abacus" }, 'ENGINE: expected auto or tensorflow or onnx, received "abacus"'],
    [{ DEVICE: "webgpu" }, "DEVICE: expected ENGINE=onnx beside cuda or webgpu: tensorflow finds its GPU by itself"],
    [{ ALLOW_UNSIGNED: "yes" }, 'ALLOW_UNSIGNED: expected true or false, received "yes"'],
    [{ SERVICE_SECRETS: "short" }, "SERVICE_SECRETS: expected secrets of at least 16 characters, received one of 5"],
    [
      { SERVICE_SECRETS: `${SERVICE_SECRETS},` },
      "SERVICE_SECRETS: expected secrets of at least 16 characters, received one of 0",
    ],
    [
      { SERVICE_SECRETS: undefined },
      "SERVICE_SECRETS: expected one or more secrets, or else SERVICE_SECRETS_FILE or ALLOW_UNSIGNED=true, and one of them alone",
    ],
    [
      { ALLOW_UNSIGNED: "true" },
      "SERVICE_SECRETS: expected one or more secrets, or else SERVICE_SECRETS_FILE or ALLOW_UNSIGNED=true, and one of them alone",
    ],
    [
      { SERVICE_SECRETS_FILE: "/run/secrets/captions" },
      "SERVICE_SECRETS: expected one or more secrets, or else SERVICE_SECRETS_FILE or ALLOW_UNSIGNED=true, and one of them alone",
    ],
    [{ METRICS_PORT: "8788" }, "METRICS_PORT: expected a port other than PORT, or none, which leaves /metrics at PORT"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" },
      'OTEL_EXPORTER_OTLP_ENDPOINT: expected an address such as http://127.0.0.1:4318, received "collector:4318"',
    ],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, 'OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf, received "grpc"'],
    [{ OTEL_SDK_DISABLED: "perhaps" }, 'OTEL_SDK_DISABLED: expected true or false, received "perhaps"'],
  ])("refuses %j", (environment, sentence) => {
    expect(() => readSettings({ SERVICE_SECRETS, ...environment })).toThrow(new Error(sentence));
  });
});

test("describeSettings names every setting with its default", () => {
  expect(describeSettings().split("\n")).toEqual([
    expect.stringMatching(/^ {2}PORT .+ Default 8788\.$/),
    expect.stringMatching(/^ {2}HOST .+ Default 127\.0\.0\.1\.$/),
    expect.stringMatching(/^ {2}METRICS_PORT .+ Default: PORT\.$/),
    expect.stringMatching(/^ {2}MODEL_DIR .+ Default the one that ships\.$/),
    expect.stringMatching(/^ {2}ENGINE .+ Default auto\.$/),
    expect.stringMatching(/^ {2}DEVICE .+ Default cpu\.$/),
    expect.stringMatching(/^ {2}PRECISION .+ Default auto\.$/),
    expect.stringMatching(/^ {2}ENGINES .+ Default auto\.$/),
    expect.stringMatching(/^ {2}ENGINE_TIMEOUT_MS .+ Default 15000\.$/),
    expect.stringMatching(/^ {2}ENGINE_START_MS .+ Default 120000\.$/),
    expect.stringMatching(/^ {2}ENGINE_MEMORY_MB .+ Default 4096\.$/),
    expect.stringMatching(/^ {2}MAX_BATCH .+ Default 8\.$/),
    expect.stringMatching(/^ {2}BATCH_WAIT_MS .+ Default 10\.$/),
    expect.stringMatching(/^ {2}MAX_BYTES .+ Default 20971520\.$/),
    expect.stringMatching(/^ {2}MAX_PIXELS .+ Default 100000000\.$/),
    expect.stringMatching(/^ {2}MAX_AVIF_PIXELS .+ Default 50000000\.$/),
    expect.stringMatching(/^ {2}DECODE_MEGAPIXELS .+ Default 100\.$/),
    expect.stringMatching(/^ {2}MAX_SLOW_PER_CALLER .+ Default 4\.$/),
    expect.stringMatching(/^ {2}UV_THREADPOOL_SIZE .+ Default 4\.$/),
    expect.stringMatching(/^ {2}ALLOW_HEIC .+ Default false\.$/),
    expect.stringMatching(/^ {2}MAX_QUEUED .+ Default 64\.$/),
    expect.stringMatching(/^ {2}MAX_QUEUED_BYTES .+ Default 268435456\.$/),
    expect.stringMatching(/^ {2}BULK_PERCENT .+ Default 50\.$/),
    expect.stringMatching(/^ {2}BULK_BATCH_MS .+ Default 50\.$/),
    expect.stringMatching(/^ {2}MAX_DEADLINE_MS .+ Default 25000\.$/),
    expect.stringMatching(/^ {2}BODY_TIMEOUT_MS .+ Default 15000\.$/),
    expect.stringMatching(/^ {2}DRAIN_SECONDS .+ Default 27\.$/),
    expect.stringMatching(/^ {2}LOG_LEVEL .+ Default info\.$/),
    expect.stringMatching(/^ {2}SERVICE_SECRETS .+ Required, unless SERVICE_SECRETS_FILE is set\.$/),
    expect.stringMatching(/^ {2}SERVICE_SECRETS_FILE .+ without a restart\.$/),
    expect.stringMatching(/^ {2}ALLOW_UNSIGNED .+ Default false\.$/),
    expect.stringMatching(/^ {2}OTEL_EXPORTER_OTLP_ENDPOINT .+ Default: no traces\.$/),
    expect.stringMatching(/^ {2}OTEL_EXPORTER_OTLP_TRACES_ENDPOINT .+ wins\.$/),
    expect.stringMatching(/^ {2}OTEL_EXPORTER_OTLP_PROTOCOL .+ Default http\/protobuf\.$/),
    expect.stringMatching(/^ {2}OTEL_SDK_DISABLED .+ Default false\.$/),
  ]);
});

test("docs/gpu-service.md lists the settings as --help does", async () => {
  const page = await readFile(new URL("../../docs/gpu-service.md", import.meta.url), "utf8");
  expect(page).toContain(`\n\`\`\`\n${describeSettings().replaceAll(/^ {2}/gm, "")}\n\`\`\`\n`);
});
