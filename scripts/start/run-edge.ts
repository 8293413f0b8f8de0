import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildPage } from "../page/build-page.ts";
import { repository } from "../repository.ts";
import { isWell } from "./local-servers.ts";
import { migrateJobs } from "./migrate-jobs.ts";

/** Interval between two checks of whether the edge still answers, and after a failed one. */
const watchMs = 5_000;
const askAgainMs = 1_000;
/** Time that an edge under load may take for that answer. */
const answerLimitMs = 5_000;
/** Consecutive failed checks after which the edge counts as gone. */
const silentAnswers = 3;
const endLimitMs = 2_000;
/** Cloudflare calls it each minute; on one machine, more often costs nothing. */
const cronMs = 10_000;

/**
 * The worker in Cloudflare's runtime (workerd), as `wrangler.toml` describes it, without the proxy that `wrangler dev` puts
 * before it, which ends when a client leaves in the middle of a `POST /` and under load fails requests of others.
 * Ends with a message if the runtime ends or hangs, so that a supervisor starts this program again.
 */
const { values } = parseArgs({
  options: {
    ip: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8787" },
    "persist-to": { type: "string", default: ".wrangler/state" },
    /** `log` shows the worker's whole log, anything else its errors. */
    "log-level": { type: "string", default: "error" },
    /** `NAME:value`, which everybody on this machine can read; the secret comes as the environment's `SERVICE_SECRET`. */
    var: { type: "string", multiple: true, default: [] },
  },
});

const runtime = new Miniflare({
  host: values.ip,
  port: Number(values.port),
  cf: false, // it would ask the internet where we are
  ...persistence(values["persist-to"]),
  handleStructuredLogs({ level, message }: { level: string; message: string }) {
    if (values["log-level"] === "log") console.log(message);
    else if (level === "error") console.error(message);
  },
  workers: [await describeWorker()],
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(0));
await runtime.ready;
await migrateJobs(runtime);
setInterval(() => void runCron(), cronMs);
await untilSilent(`http://localhost:${values.port}/healthz`);
console.error("the edge does not answer any more: its runtime, workerd, ended or hangs");
await end(1);

/** Returns the folders that `wrangler` uses too: `npm run tool -- keys` writes there. */
function persistence(folder: string) {
  const place = (name: string) => join(folder, "v3", name);
  return {
    kvPersist: place("kv"),
    cachePersist: place("cache"),
    durableObjectsPersist: place("do"),
    d1Persist: place("d1"),
    r2Persist: place("r2"),
    workflowsPersist: place("workflows"),
  };
}

async function describeWorker() {
  await buildPage();
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(repository, "wrangler.toml"));
  const { outputFiles } = await build({
    entryPoints: [join(repository, "edge/worker.ts")],
    bundle: true,
    format: "esm",
    external: ["cloudflare:workers"],
    conditions: ["workerd", "worker", "browser"],
    write: false,
  });
  const variables = values.var.map((text) => {
    const [name = "", ...value] = text.split(":");
    return [name, value.join(":")];
  });
  const secret = process.env.SERVICE_SECRET;
  return {
    ...workerOptions,
    name: "edge-caption",
    modules: [{ type: "ESModule" as const, path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
    bindings: {
      ...workerOptions.bindings,
      ...Object.fromEntries(variables),
      ...(secret !== undefined && { SERVICE_SECRET: secret }),
    },
  };
}

async function untilSilent(address: string): Promise<void> {
  for (let unanswered = 0; unanswered < silentAnswers; ) {
    await setTimeout(unanswered === 0 ? watchMs : askAgainMs);
    const isThere = await isWell(address, AbortSignal.timeout(answerLimitMs)).catch(() => false);
    unanswered = isThere ? 0 : unanswered + 1;
  }
}

/** Calls the worker's cron trigger, which nobody else does on this machine. */
async function runCron(): Promise<void> {
  try {
    await (await runtime.getWorker()).scheduled({ cron: "* * * * *" });
  } catch (error) {
    console.error("the cron trigger failed:", error);
  }
}

/** Ends this program even if a hanging runtime does not end; the supervisor ends the whole group. */
async function end(code: number): Promise<void> {
  await Promise.race([runtime.dispose(), setTimeout(endLimitMs)]).catch(() => undefined);
  process.exit(code);
}
