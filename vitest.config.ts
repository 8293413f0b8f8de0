import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import "./captioner/onnx/telemetry.ts"; // for what makes sessions in the tests' own processes

/** A minute of a browser, in `test:full`. */
const inTheBrowser = ["test/page/page.test.ts", "test/page/docs.test.ts", "test/cli/gallery.test.ts"];

/** Of `test:full`, what starts the command or the service dozens of times. */
const manyProcesses = [
  ...["apply", "counts", "endpoint", "foreign-state", "forms", "hostile-names", "odd-files", "odd-names"].map(
    (name) => `test/cli/${name}.test.ts`,
  ),
  ...["addresses", "bucket", "other-metadata", "outputs", "raw-photos", "shard", "state", "usage"].map(
    (name) => `test/cli/${name}.test.ts`,
  ),
  ...["http/app-supervision", "http/http-server", "main", "secrets", "traces"].map(
    (name) => `test/gpu-service/${name}.test.ts`,
  ),
  "test/captioner/engines/engine-pool.test.ts",
  "test/files/keep-attributes.test.ts",
  ...["closing-line-reporter", "scripts/encoder/command", "scripts/start"].map((name) => `test/${name}.test.ts`),
  ...["report", "sentences/keywords"].map((name) => `test/training/${name}.test.ts`),
];

/** Of `test:full`, what holds the product to times and so wants the machine to itself. */
const alone = ["test/full/chaos.test.ts", "test/full/load.test.ts"];

/** What captions tests expect must not hang on how fast a processor multiplies bytes. */
process.env.PRECISION = "float32";

/** What tests leave is not the person's who runs them. */
process.env.XDG_STATE_HOME = fileURLToPath(new URL("node_modules/.cache/tests", import.meta.url));

export default defineConfig({
  test: {
    onConsoleLog: (line) => !/"msg":"(?:request|photos of a job)"/.test(line) && !line.startsWith("watched: "), // the worker logs each
    maxWorkers: "100%", // most tests wait for processes of their own
    globalSetup: "./test/support/built-programs.ts",
    reporters: ["default", "./test/support/closing-line-reporter.ts"],
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml", environment: "staging" },
            miniflare: {
              d1Databases: { JOBS_DB: "jobs" },
              queueProducers: { JOBS_QUEUE: "jobs" },
              r2Buckets: { JOBS_BUCKET_PHOTOS: "photos" },
              workflows: { JOBS_WORKFLOW: { name: "jobs", className: "JobWorkflow" } },
            },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/edge/**/*.test.ts"],
          globalSetup: "./test/support/service-for-edge.ts",
        },
      },
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [
            ...["test/edge/**", "test/full/**", "test/native/**", "test/container/**"],
            ...inTheBrowser,
            ...manyProcesses,
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "full",
          include: ["test/full/**/*.test.ts", ...inTheBrowser, ...manyProcesses],
          exclude: alone,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "full-alone",
          include: alone,
          testTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 }, // behind all others
        },
      },
      { test: { name: "container", include: ["test/container/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "native", include: ["test/native/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
