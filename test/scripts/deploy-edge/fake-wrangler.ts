import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../../fixtures/bundles.ts";

export interface Cloudflare {
  /** Undefined: nobody is signed in. */
  accounts?: { id: string; name: string }[];
  /** Undefined: the worker was never deployed. */
  secrets?: string[];
  namespaces?: { id: string; title: string }[];
  queues?: string[];
  /** Of what makes the queue and the tables of jobs. */
  setUpCode?: number;
  /** Of `wrangler deploy`. */
  deployCode?: number;
  /** In the place of whatever was asked. */
  failure?: string;
}

/** Stands in for the program wrangler; answers in wrangler's own shapes and records its arguments. */
export async function fakeWrangler(
  cloudflare: Cloudflare,
): Promise<{ program: string; deployments(): Promise<Deployment[]> }> {
  const folder = await temporaryFolder();
  const program = join(folder, "wrangler");
  const record = join(folder, "deployments");
  await writeFile(record, "");
  await writeFile(
    program,
    `#!${process.execPath}\n(${answer})(${JSON.stringify({ ...cloudflare, record })}, require("node:fs"));`,
  );
  await chmod(program, 0o755);
  return {
    program,
    async deployments() {
      const lines = (await readFile(record, "utf8")).trim().split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
    },
  };
}

export interface Deployment {
  args: string[];
  /** Where its secrets came from, and what they were; null without. */
  secrets: { path: string; text: string; mode: number } | null;
}

/** Runs in the fake's own process. */
function answer(told: Cloudflare & { record: string }, fs: typeof import("node:fs")): void {
  const args = process.argv.slice(2);
  const command = args.filter((arg) => !arg.startsWith("-")).join(" ");
  const say = (value: unknown) => process.stdout.write(JSON.stringify(value));
  if (told.failure !== undefined) {
    process.stderr.write(told.failure);
    process.exitCode = 1;
  } else if (command === "whoami") {
    say({ loggedIn: told.accounts !== undefined, ...(told.accounts && { accounts: told.accounts }) });
    process.exitCode = told.accounts === undefined ? 1 : 0;
  } else if (command.startsWith("secret list")) {
    if (told.secrets === undefined) {
      process.stderr.write('Worker "edge-caption-staging" (env: staging) not found.');
      process.exitCode = 1;
    } else say(told.secrets.map((name) => ({ name, type: "secret_text" })));
  } else if (command.startsWith("kv namespace list")) {
    say(told.namespaces ?? []);
  } else if (command.startsWith("queues info")) {
    process.exitCode = told.queues?.includes(args[2] ?? "") ? 0 : 1;
  } else if (/^(?:queues create|d1 migrations apply)/.test(command)) {
    fs.appendFileSync(told.record, `${JSON.stringify({ args, secrets: null })}\n`);
    process.exitCode = told.setUpCode ?? 0;
  } else if (command.startsWith("deploy")) {
    const place = args.indexOf("--secrets-file");
    const path = args[place + 1] ?? "";
    const secrets =
      place === -1 ? null : { path, text: fs.readFileSync(path, "utf8"), mode: fs.statSync(path).mode & 0o777 };
    fs.appendFileSync(told.record, `${JSON.stringify({ args, secrets })}\n`);
    process.exitCode = told.deployCode ?? 0;
  } else {
    process.stderr.write(`no such command: ${command}`);
    process.exitCode = 2;
  }
}
