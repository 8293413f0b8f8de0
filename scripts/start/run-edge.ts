import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { unstable_startWorker } from "wrangler";
import { isWell } from "./local-servers.ts";

/** How often the edge is asked whether it still answers, and how soon again where it did not. */
const watchMs = 5_000;
const askAgainMs = 1_000;
/** What an edge under load may take to say that it is well. */
const answerLimitMs = 5_000;
/** Questions without an answer, one after the other, after which nobody is there. */
const silentAnswers = 3;
const logLevels = ["log", "warn", "error"] as const;

/**
 * The worker in wrangler's development server, as `wrangler dev` runs it, with two differences. `wrangler dev` ends when a
 * client leaves in the middle of a `POST /`; here that request fails alone. And where the runtime (workerd) ends or hangs,
 * `wrangler dev` goes on as if nothing had happened; this program ends, saying so, for whoever keeps it to start it again.
 */
const { values } = parseArgs({
  options: {
    ip: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8787" },
    "persist-to": { type: "string", default: ".wrangler/state" },
    "log-level": { type: "string", default: "error" },
    /** `NAME:value`, which everybody on this machine can read; the secret comes as the environment's `SERVICE_SECRET`. */
    var: { type: "string", multiple: true, default: [] },
  },
});
const logLevel = logLevels.find((level) => level === values["log-level"]) ?? "error";
const variables = [...values.var, `SERVICE_SECRET:${process.env.SERVICE_SECRET ?? ""}`].map((text) => {
  const [name = "", ...value] = text.split(":");
  return [name, { type: "plain_text", value: value.join(":") }] as const;
});

const worker = await unstable_startWorker({
  config: "wrangler.toml",
  bindings: Object.fromEntries(variables),
  dev: {
    server: { hostname: values.ip, port: Number(values.port) },
    inspector: { port: 0 }, // what the worker logs comes by it
    persist: values["persist-to"],
    logLevel,
    liveReload: false,
  },
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(0));
await worker.ready;
await untilSilent(`http://localhost:${values.port}/healthz`);
console.error("the edge does not answer any more: its runtime, workerd, ended or hangs");
await end(1);

async function untilSilent(address: string): Promise<void> {
  for (let unanswered = 0; unanswered < silentAnswers; ) {
    await setTimeout(unanswered === 0 ? watchMs : askAgainMs);
    const isThere = await isWell(address, AbortSignal.timeout(answerLimitMs)).catch(() => false);
    unanswered = isThere ? 0 : unanswered + 1;
  }
}

/** A runtime that hangs would hold on to its end, too; whoever started this ends the whole group. */
async function end(code: number): Promise<void> {
  const limit = setTimeout(2_000, undefined, { ref: false });
  await Promise.race([worker.dispose(), limit]).catch(() => undefined);
  process.exit(code);
}
