import type { Wrangler } from "../wrangler.ts";
import type { EdgeConfig, Prerequisite } from "./preflight.ts";

const name = "jobs";
/** For a million new photos, with and without what Cloudflare's Paid plan includes; docs/jobs.md has the sum. */
const dollarsPerMillion = "12 to 17";

/** What jobs need, which are off unless `wrangler.toml` has their bindings. */
export function jobsPrerequisites(config: EdgeConfig, environment: string): Prerequisite[] {
  const database = databaseOf(config);
  const queue = queueOf(config);
  const bound = {
    JOBS_DB: database,
    JOBS_QUEUE: queue,
    JOBS_WORKFLOW: config.workflows.find(({ binding }) => binding === "JOBS_WORKFLOW"),
  };
  const lacking = Object.entries(bound).flatMap(([binding, value]) => (value === undefined ? [binding] : []));
  if (lacking.length === 3) return [{ name, state: "there", words: "off; docs/jobs.md says how to turn them on" }];
  const missing = (words: string): Prerequisite => ({ name, state: "missing", words });
  const where = `in the sections [[env.${environment}.…]] of wrangler.toml`;
  const prerequisites =
    lacking.length > 0 ? [missing(`uncomment ${lacking.join(" and ")} ${where}, or none of them`)] : [];
  if (database !== undefined && !/^[0-9a-f-]{36}$/.test(database.database_id ?? "")) {
    const command = `npx wrangler d1 create ${database.database_name}`;
    prerequisites.push(missing(`give JOBS_DB the database_id that ${command} prints`));
  }
  if (queue !== undefined && !config.queues.consumers.some((consumer) => consumer.queue === queue)) {
    prerequisites.push(missing(`uncomment the consumer of ${queue} ${where}: nobody reads the queue without it`));
  }
  if (config.triggers.crons.length === 0) {
    prerequisites.push(missing(`uncomment crons ${where}: photos that the queue loses are sent again by it`));
  }
  if (prerequisites.length > 0) return prerequisites;
  const buckets = config.r2_buckets.flatMap(({ binding, bucket_name }) =>
    binding.startsWith("JOBS_BUCKET_") ? (bucket_name ?? []) : [],
  );
  return [
    { name, state: "made", words: `the queue ${queue} if it is not there, and the tables that the database lacks` },
    { name, state: "noted", words: `keys with the scope jobs may read ${buckets.join(", ") || "no bucket"}` },
    { name, state: "noted", words: `a million new photos cost ${dollarsPerMillion} dollars at Cloudflare` },
  ];
}

/** Makes the queue and the tables that a deployment with jobs prerequisites before it. Returns whether that succeeded. */
export async function setUpJobs(config: EdgeConfig, environment: string, wrangler: Wrangler): Promise<boolean> {
  const queue = queueOf(config);
  if (queue === undefined || databaseOf(config) === undefined) return true;
  const isThere = (await wrangler.ask(["queues", "info", queue])).code === 0;
  if (!isThere && (await wrangler.act(["queues", "create", queue])) !== 0) return false;
  return (await wrangler.act(["d1", "migrations", "apply", "JOBS_DB", "--remote", "--env", environment])) === 0;
}

function databaseOf({ d1_databases }: EdgeConfig) {
  return d1_databases.find(({ binding }) => binding === "JOBS_DB");
}

function queueOf({ queues }: EdgeConfig): string | undefined {
  return queues.producers.find(({ binding }) => binding === "JOBS_QUEUE")?.queue;
}
