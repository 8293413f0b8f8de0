import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import { repository } from "../repository.ts";

const folder = join(repository, "edge/jobs/migrations");

/** Applies the migrations that the jobs' database lacks, and remembers them where `wrangler d1 migrations apply` looks. */
export async function migrateJobs(runtime: Miniflare): Promise<void> {
  const db = await runtime.getD1Database("JOBS_DB");
  await db
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations
         (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const name of (await readdir(folder)).toSorted()) {
    if (applied.has(name)) continue;
    const statements = unstable_splitSqlQuery(await readFile(join(folder, name), "utf8"));
    const note = db.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), note]);
  }
}
