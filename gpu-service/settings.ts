import { resolve } from "node:path";
import * as z from "zod";
import { defaultModelDir } from "../captioner/bundle.ts";
import { defaultPrecision, engineChoices, onnxDevices, precisionChoices } from "../captioner/engine.ts";
import { defaultMaxAvifPixels, defaultMaxBytes, defaultMaxPixels } from "../shared/contract.ts";
import { quote } from "../shared/errors.ts";
import { logLevels } from "./log.ts";
import { parseSecrets } from "./secrets.ts";

/** The share of the longest deadline after which a photo that is still being decoded counts as slow by its own fault. */
const slowDecodingShare = 10;

/** Every setting of the service by its environment variable, with its unit, its meaning and its cost. */
const environmentSchema = z.object({
  PORT: wholeNumber({ min: 0, max: 65_535 }).default(8788).describe("TCP port to listen on; 0 takes any that is free."),
  HOST: text()
    .default("127.0.0.1")
    .describe("Address to listen on; 0.0.0.0 in a container, which accepts connections from anyone who can reach it."),
  METRICS_PORT: wholeNumber({ min: 0, max: 65_535 })
    .optional()
    .describe("TCP port for /metrics and probes; PORT then has no /metrics, so that it can be public. Default: PORT."),
  MODEL_DIR: text()
    .transform((path) => resolve(path))
    .default(defaultModelDir)
    .describe("Folder of the model bundle; its weights stay in memory."),
  ENGINE: oneOf(engineChoices)
    .default("auto")
    .describe(
      "What runs the model: tensorflow (npm run setup:native), onnx, or auto: tensorflow with a GPU, else onnx.",
    ),
  DEVICE: oneOf(onnxDevices)
    .default("cpu")
    .describe(
      "What ENGINE=onnx runs the encoder on: cpu, cuda or webgpu; the start fails where there is no such GPU. The search stays on the CPU.",
    ),
  PRECISION: oneOf(precisionChoices)
    .default(defaultPrecision)
    .describe(
      "Precision of the encoder on a CPU: float32, int8, or auto: int8 where this machine is faster with it. Part of the revision: use the same for all services of one edge.",
    ),
  ENGINES: z
    .union([z.literal("auto"), wholeNumber({ min: 1, max: 64 })], {
      error: ({ input }) => `expected auto or a whole number from 1 to 64, received ${quote(String(input))}`,
    })
    .default("auto")
    .describe("Engine processes; auto is one per GPU, else one. Each holds the model; on a CPU they share its cores."),
  ENGINE_TIMEOUT_MS: wholeNumber({ min: 1000, max: 600_000 })
    .default(15_000)
    .describe(
      "Milliseconds in which an engine must answer, or it is replaced; more than a full batch takes, and no more than you would wait for one that hangs.",
    ),
  ENGINE_START_MS: wholeNumber({ min: 1000, max: 3_600_000 })
    .default(120_000)
    .describe(
      "Milliseconds in which an engine must be warm, or it is started again. Less finds one that hangs sooner.",
    ),
  ENGINE_MEMORY_MB: wholeNumber({ min: 128, max: 2 ** 20 })
    .default(4096)
    .describe("MiB that an engine may grow to before it is replaced, which delays photos for about two seconds."),
  MAX_BATCH: wholeNumber({ min: 1, max: 256 })
    .default(8)
    .describe("Photos run together; more raises throughput, memory and the wait in a full batch."),
  BATCH_WAIT_MS: wholeNumber({ min: 0, max: 1000 })
    .default(10)
    .describe(
      "Milliseconds that a batch which is not full waits for photos that are being decoded; a single photo never waits.",
    ),
  MAX_BYTES: wholeNumber({ min: 1, max: 2 ** 30 })
    .default(defaultMaxBytes)
    .describe("Bytes of the largest photo; each admitted one is held in memory whole."),
  MAX_PIXELS: wholeNumber({ min: 1, max: 2 ** 31 - 1 })
    .default(defaultMaxPixels)
    .describe("Pixels of the largest photo by its header; decoding takes time and memory per pixel."),
  MAX_AVIF_PIXELS: wholeNumber({ min: 1, max: 2 ** 31 - 1 })
    .default(defaultMaxAvifPixels)
    .describe(
      "Pixels of the largest AVIF or HEIC; a million of them take up to 80 milliseconds and 18 MB, several times what other formats take.",
    ),
  DECODE_MEGAPIXELS: wholeNumber({ min: 1, max: 100_000 })
    .default(100)
    .describe(
      "Millions of pixels decoded at once, counted separately for photos that take long; an AVIF takes up to 18 bytes of memory for each, a PNG 8, a JPEG far less.",
    ),
  MAX_SLOW_PER_CALLER: wholeNumber({ min: 1, max: 100_000 })
    .default(4)
    .describe(
      "Photos of one caller of the edge, admitted at once, that take over a quarter of a second to decode; the next is refused with 429. All callers together get half of MAX_QUEUED.",
    ),
  UV_THREADPOOL_SIZE: wholeNumber({ min: 1, max: 1024 })
    .default(4)
    .describe(
      "Threads for decoding, one of them kept free and one for photos that take long; with a GPU, use the number of cores and two more.",
    ),
  ALLOW_HEIC: oneOf(["true", "false"])
    .default("false")
    .describe("true accepts HEIC photos, too, which take a second of a core and ten times the memory of a JPEG."),
  MAX_QUEUED: wholeNumber({ min: 1, max: 100_000 })
    .default(64)
    .describe("Photos admitted at once, uploads included; the next is refused with 503. More means longer waits."),
  MAX_QUEUED_BYTES: wholeNumber({ min: 1, max: 2 ** 40 })
    .default(256 * 2 ** 20)
    .describe(
      "Bytes of photos admitted at once, all in memory; more are refused with 503. An upload without a length counts as MAX_BYTES.",
    ),
  BULK_PERCENT: wholeNumber({ min: 1, max: 100 })
    .default(50)
    .describe(
      "Percent of MAX_QUEUED and MAX_QUEUED_BYTES that photos of X-Priority: bulk may take together; the rest stays free for people. More is faster for jobs while nobody else is there.",
    ),
  BULK_BATCH_MS: wholeNumber({ min: 1, max: 60_000 })
    .default(50)
    .describe(
      "Milliseconds that a batch with bulk photos may take, by the pace of those before; at least one photo. No upload waits longer for them. More raises bulk's throughput on a GPU.",
    ),
  MAX_DEADLINE_MS: wholeNumber({ min: 1, max: 3_600_000 })
    .default(25_000)
    .describe("Milliseconds that a request gets unless X-Deadline-Ms is less; then its photo is dropped with 504."),
  BODY_TIMEOUT_MS: wholeNumber({ min: 1, max: 240_000 })
    .default(15_000)
    .describe("Milliseconds for sending a photo; a slow sender counts against MAX_QUEUED for that long."),
  DRAIN_SECONDS: wholeNumber({ min: 1, max: 3600 })
    .default(27)
    .describe(
      "Seconds that admitted requests get after SIGTERM; more than MAX_DEADLINE_MS, and three less than the host's own limit.",
    ),
  LOG_LEVEL: oneOf(logLevels)
    .default("info")
    .describe("Least level of the log's lines: error, info (one line per caption), debug (probes, too) or silent."),
  SERVICE_SECRETS: secretList()
    .optional()
    .describe(
      "Secrets that sign requests, comma separated, so that one can be rotated. Required, unless SERVICE_SECRETS_FILE is set.",
    ),
  SERVICE_SECRETS_FILE: text()
    .transform((path) => resolve(path))
    .optional()
    .describe(
      "File of those secrets, instead of SERVICE_SECRETS, separated by commas or lines. Read again when it changes, without a restart.",
    ),
  ALLOW_UNSIGNED: oneOf(["true", "false"])
    .default("false")
    .describe("true, instead of secrets, captions for anyone who can reach the port."),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress()
    .optional()
    .describe(
      "Collector of OpenTelemetry traces, such as http://127.0.0.1:4318; /v1/traces is appended. About 2 kB are sent per caption, in the background. Default: no traces.",
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpAddress()
    .optional()
    .describe("The whole address that traces are posted to, instead; if both are set, this one wins."),
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf(["http/protobuf"])
    .default("http/protobuf")
    .describe("Protocol of traces; there is no other. A collector takes it at port 4318, and gRPC at 4317."),
  OTEL_SDK_DISABLED: z
    .stringbool({ error: ({ input }) => `expected true or false, received ${quote(String(input))}` })
    .default(false)
    .describe("true turns traces off, whatever else is set."),
});

const settingsSchema = environmentSchema
  .refine(
    ({ SERVICE_SECRETS, SERVICE_SECRETS_FILE, ALLOW_UNSIGNED }) =>
      [SERVICE_SECRETS !== undefined, SERVICE_SECRETS_FILE !== undefined, ALLOW_UNSIGNED === "true"].filter(Boolean)
        .length === 1,
    {
      path: ["SERVICE_SECRETS"],
      error: "expected one or more secrets, or else SERVICE_SECRETS_FILE or ALLOW_UNSIGNED=true, and one of them alone",
    },
  )
  .refine(({ PORT, METRICS_PORT }) => METRICS_PORT !== PORT || PORT === 0, {
    path: ["METRICS_PORT"],
    error: "expected a port other than PORT, or none, which leaves /metrics at PORT",
  })
  .refine(({ MAX_BYTES, MAX_QUEUED_BYTES }) => MAX_BYTES <= MAX_QUEUED_BYTES, {
    path: ["MAX_QUEUED_BYTES"],
    error: "expected at least MAX_BYTES, or the largest photo would always be refused",
  })
  .refine(({ ENGINE, DEVICE }) => DEVICE === "cpu" || ENGINE === "onnx", {
    path: ["DEVICE"],
    error: "expected ENGINE=onnx beside cuda or webgpu: tensorflow finds its GPU by itself",
  })
  .transform((environment) => ({
    port: environment.PORT,
    /** Undefined: metrics are at `port`. */
    metricsPort: environment.METRICS_PORT,
    host: environment.HOST,
    modelDir: environment.MODEL_DIR,
    engine: environment.ENGINE,
    device: environment.DEVICE,
    precision: environment.PRECISION,
    engines: environment.ENGINES === "auto" ? undefined : environment.ENGINES,
    engineTimeoutMs: environment.ENGINE_TIMEOUT_MS,
    engineStartMs: environment.ENGINE_START_MS,
    engineMemoryMb: environment.ENGINE_MEMORY_MB,
    maxBatch: environment.MAX_BATCH,
    batchWaitMs: environment.BATCH_WAIT_MS,
    maxBytes: environment.MAX_BYTES,
    maxPixels: environment.MAX_PIXELS,
    maxAvifPixels: environment.MAX_AVIF_PIXELS,
    allowHeic: environment.ALLOW_HEIC === "true",
    decodeMegapixels: environment.DECODE_MEGAPIXELS,
    decodeThreads: environment.UV_THREADPOOL_SIZE,
    decodePatienceMs: environment.MAX_DEADLINE_MS / slowDecodingShare,
    slowPhotos: {
      perCaller: environment.MAX_SLOW_PER_CALLER,
      total: Math.max(1, Math.floor(environment.MAX_QUEUED / 2)),
    },
    maxQueued: environment.MAX_QUEUED,
    maxQueuedBytes: environment.MAX_QUEUED_BYTES,
    bulkShare: environment.BULK_PERCENT / 100,
    bulkBatchMs: environment.BULK_BATCH_MS,
    maxDeadlineMs: environment.MAX_DEADLINE_MS,
    bodyTimeoutMs: environment.BODY_TIMEOUT_MS,
    drainSeconds: environment.DRAIN_SECONDS,
    logLevel: environment.LOG_LEVEL,
    /** Undefined: they are in `secretsFile`, or, if that is undefined too, requests need no signature. */
    secrets: environment.SERVICE_SECRETS,
    secretsFile: environment.SERVICE_SECRETS_FILE,
    /** Where traces are posted; undefined: there are none. */
    tracesUrl: tracesUrlOf(environment),
  }));

type Environment = z.infer<typeof environmentSchema>;

function tracesUrlOf(environment: Environment): string | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = environment;
  if (environment.OTEL_SDK_DISABLED) return undefined;
  return whole ?? (base === undefined ? undefined : `${base.replace(/\/$/, "")}/v1/traces`);
}

export type Settings = z.infer<typeof settingsSchema>;

/** Reads the settings from the environment. Throws one sentence that names the first setting that is wrong. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const { success, data, error } = settingsSchema.safeParse(environment);
  if (success) return data;
  const [issue] = error.issues;
  throw new Error(`${issue?.path.join(".")}: ${issue?.message}`, { cause: error });
}

/** The text of `--help`, from the same schema that reads the settings. */
export function describeSettings(): string {
  return Object.entries(environmentSchema.shape)
    .map(([name, field]) => {
      const { data } = field.safeParse(undefined);
      const value = data === defaultModelDir ? "the one that ships" : data;
      return `  ${name.padEnd(20)} ${field.description}${value === undefined ? "" : ` Default ${value}.`}`;
    })
    .join("\n");
}

function text() {
  return z.string().min(1, "expected some text, received none");
}

function oneOf<const Value extends string>(values: readonly Value[]) {
  return z.enum(values, { error: ({ input }) => `expected ${values.join(" or ")}, received ${quote(String(input))}` });
}

/** An empty one counts as none, as OpenTelemetry has it. */
function httpAddress() {
  return z.string().transform((address, context) => {
    if (address === "") return undefined;
    if (/^https?:/.test(address) && URL.canParse(address)) return address;
    context.addIssue(`expected an address such as http://127.0.0.1:4318, received ${quote(address)}`);
    return z.NEVER;
  });
}

function wholeNumber({ min, max }: { min: number; max: number }) {
  return z.string().transform((digits, context) => {
    const value = Number(digits);
    if (/^\d+$/.test(digits) && value >= min && value <= max) return value;
    context.addIssue(`expected a whole number from ${min} to ${max}, received ${quote(digits)}`);
    return z.NEVER;
  });
}

function secretList() {
  return z.string().transform((list, context) => {
    try {
      return parseSecrets(list);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
}
