import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildPage } from "../page/build-page.ts";
import { repository } from "../repository.ts";
import { withinTime } from "../within-time.ts";
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
const cronLimitMs = 60_000;
const cronPath = "/cdn-cgi/handler/scheduled";

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

const worker = await describeWorker();
await migrateDatabase();
const runtime = new Miniflare({
  host: values.ip,
  port: Number(values.port),
  cf: false, // it would ask the internet where we are
  unsafeTriggerHandlers: true, // anybody here may call the cron trigger, which only does what is due
  ...persistence(values["persist-to"]),
  handleStructuredLogs({ level, message }: { level: string; message: string }) {
    if (values["log-level"] === "log") console.log(message);
    else if (level === "error") console.error(message);
  },
  workers: [worker],
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(0));
await runtime.ready;
void repeatCron();
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

/**
 * Applies migrations in a runtime of their own, before anybody is answered: a query waits for its runtime with this whole
 * process stopped, so that nothing here would notice one that hangs.
 */
async function migrateDatabase(): Promise<void> {
  const migrator = new Miniflare({ cf: false, ...persistence(values["persist-to"]), workers: [worker] });
  try {
    await migrateJobs(migrator);
  } finally {
    await migrator.dispose();
  }
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
    routes: [`*${cronPath}*`], // past the worker that serves static files, which has no such handler
    modules: [{ type: "ESModule" as const, path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
    bindings: {
      ...workerOptions.bindings,
      ...Object.fromEntries(variables),
      ...(secret !== undefined && { SERVICE_SECRET: secret }),
    },
  };
}

async function untilSilent(address: string): Promise<void> {
  const { signal } = new AbortController();
  for (let unanswered = 0; unanswered < silentAnswers; ) {
    await setTimeout(unanswered === 0 ? watchMs : askAgainMs);
    const isThere = await withinTime({ ms: answerLimitMs, signal }, (limited) => isWell(address, limited)).catch(
      () => false,
    );
    unanswered = isThere ? 0 : unanswered + 1;
  }
}

/** Lets one run of the trigger end before the next. */
async function repeatCron(): Promise<never> {
  for (;;) {
    await setTimeout(cronMs);
    await runCron();
  }
}

/**
 * Calls the worker's cron trigger, which nobody else does on this machine. By HTTP: `runtime.getWorker()` waits for the
 * runtime with this whole process stopped, for ever if the runtime hangs or itself waits for this process.
 */
async function runCron(): Promise<void> {
  const address = `http://localhost${cronPath}?cron=*+*+*+*+*`;
  try {
    const { status } = await runtime.dispatchFetch(address, { signal: AbortSignal.timeout(cronLimitMs) });
    if (status !== 200) console.error(`the cron trigger failed with ${status}`);
  } catch {
    // the runtime is gone, or busy: the check of whether it answers decides which
  }
}

/** Ends this program even if a hanging runtime does not end; the supervisor ends the whole group. */
async function end(code: number): Promise<void> {
  await Promise.race([runtime.dispose(), setTimeout(endLimitMs)]).catch(() => undefined);
  process.exit(code);
}
