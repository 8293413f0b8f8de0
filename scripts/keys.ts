import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import {
  type KeyRecord,
  type KeyScope,
  type KeyTier,
  keyEntry,
  keyPathPrefix,
  keyRecordSchema,
  keyScopes,
  keyTiers,
  newApiKey,
} from "../shared/api-key.ts";
import { terminalText } from "../shared/terminal-text.ts";
import { invocationFolder } from "../terminal/command-line.ts";
import { showSpinner } from "../terminal/progress.ts";
import { runProgram } from "../terminal/run-program.ts";
import { repository } from "./repository.ts";
import { wranglerAt } from "./wrangler.ts";

const listSchema = z.array(z.object({ name: z.string(), metadata: z.unknown() }));

const examples = `
Examples:
  npm run tool -- keys create --name "Ada's importer" --tier high
  npm run tool -- keys create --name operations --scope caption admin --remote --env production
  npm run tool -- keys list --remote --env production
  npm run tool -- keys revoke 0123456789ab --remote --env production`;

/** `npm run tool -- keys`. Exit codes: 0 done, 1 something failed, 2 wrong usage. */
await runProgram(keysCommand());

/** Makes a key and shows it, on standard output alone, so that a script can take it from there. */
async function createKey({ name, scopes, tier }: NewKey, place: KeyPlaceOptions): Promise<void> {
  const key = newApiKey();
  const { path, id } = await keyEntry(key);
  const record: KeyRecord = { id, name, scopes, tier, createdAt: new Date().toISOString() };
  await kvKey(place, ["put", path, id, "--metadata", JSON.stringify(record)]);
  process.stderr.write(`${describe(record)}\nThe key, which is stored nowhere and shown this once:\n`);
  process.stdout.write(`${key}\n`);
}

/** Shows what is stored of each key, the eldest first. */
async function listKeys(place: KeyPlaceOptions): Promise<void> {
  const keys = await readKeys(place);
  for (const { record } of keys.toSorted((one, other) => one.record.createdAt.localeCompare(other.record.createdAt))) {
    process.stdout.write(`${describe(record)}\n`);
  }
  process.stderr.write(`${keys.length} ${keys.length === 1 ? "key" : "keys"}\n`);
}

/** Deletes a key by its id, and says whose it was. */
async function revokeKey(id: string, place: KeyPlaceOptions): Promise<void> {
  const key = (await readKeys(place)).find(({ record }) => record.id === id);
  if (key === undefined) throw new Error(`expected the id of a key, received ${id}: list shows those there are`);
  await kvKey(place, ["delete", key.path]);
  process.stderr.write(`revoked ${describe(key.record)}\n`);
}

async function readKeys(place: KeyPlaceOptions): Promise<{ path: string; record: KeyRecord }[]> {
  const listed = listSchema.parse(JSON.parse(await kvKey(place, ["list", "--prefix", keyPathPrefix])));
  return listed.map(({ name, metadata }) => ({ path: name, record: keyRecordSchema.parse(metadata) }));
}

/** `wrangler kv key …`, which knows how to reach both kinds of KV; returns its standard output. */
async function kvKey(
  { remote, stateDir, environment, namespaceId }: KeyPlaceOptions,
  args: readonly string[],
): Promise<string> {
  const where = [
    ...(namespaceId === undefined ? ["--binding", "KEYS"] : ["--namespace-id", namespaceId]),
    ...(environment === undefined ? [] : ["--env", environment]),
    ...(remote ? ["--remote"] : ["--local", "--persist-to", stateDir]),
  ];
  const hideWaiting = showSpinner("asking wrangler…");
  const { code, stdout, stderr } = await wranglerAt()
    .ask(["kv", "key", ...args, ...where])
    .finally(hideWaiting);
  if (code === 0) return stdout;
  throw new Error(`wrangler could not ${args[0]} the key: ${(stderr || stdout).trim()}`);
}

function describe({ id, name, scopes, tier, createdAt }: KeyRecord): string {
  return `${id}  ${scopes.join("+").padEnd(13)} ${tier.padEnd(8)} ${createdAt.slice(0, 10)}  ${terminalText(name)}`;
}

/** Which KV holds the keys. */
interface KeyPlaceOptions {
  /** Cloudflare's KV; otherwise that of `npm start` on this machine. */
  remote: boolean;
  stateDir: string;
  environment: string | undefined;
  namespaceId: string | undefined;
}

interface NewKey {
  name: string;
  scopes: KeyScope[];
  tier: KeyTier;
}

interface PlaceFlags {
  remote?: boolean;
  stateDir: string;
  env?: string;
  namespaceId?: string;
}

/** The command line of `npm run tool -- keys`. */
function keysCommand(): Command {
  const program = new Command("npm run tool -- keys")
    .description(
      "Creates, lists and revokes API keys of the edge. A key is shown once, when it is created; only its hash is stored.",
    )
    .addHelpText("after", examples)
    .exitOverride();
  withPlace(program.command("create"))
    .description("Creates a key and shows it.")
    .requiredOption("--name <text>", "whose key it is, 1 to 100 characters", readName)
    .addOption(
      new Option(
        "--scope <scope...>",
        "what it may do: caption, delete captions (admin), or caption whole buckets (jobs)",
      )
        .choices(keyScopes)
        .default(["caption"]),
    )
    .addOption(new Option("--tier <tier>", "its rate limit").choices(keyTiers).default("standard"))
    .action(({ name, scope, tier, ...place }: PlaceFlags & { name: string; scope: KeyScope[]; tier: KeyTier }) =>
      createKey({ name, scopes: [...new Set(scope)], tier }, readPlace(place)),
    );
  withPlace(program.command("list"))
    .description("Lists the keys, with what is stored of each.")
    .action((place: PlaceFlags) => listKeys(readPlace(place)));
  withPlace(program.command("revoke"))
    .description("Deletes a key; the edge may accept it for another minute.")
    .argument("<id>", "its id, 12 hexadecimal digits, as list shows it", readId)
    .action((id: string, place: PlaceFlags) => revokeKey(id, readPlace(place)));
  return program;
}

function withPlace(command: Command): Command {
  return command
    .exitOverride()
    .option("--remote", "Cloudflare's KV; otherwise that of npm start on this machine")
    .option("--env <name>", "environment of wrangler.toml, such as production")
    .option("--namespace-id <id>", "the KV namespace, where wrangler.toml has no id for KEYS")
    .option("--state-dir <folder>", "where npm start keeps its KV", join(repository, ".wrangler/state"));
}

function readPlace({ remote = false, stateDir, env, namespaceId }: PlaceFlags): KeyPlaceOptions {
  const invokedFrom = invocationFolder();
  return { remote, stateDir: resolve(invokedFrom, stateDir), environment: env, namespaceId };
}

function readName(text: string): string {
  if (text.length >= 1 && text.length <= 100) return text;
  throw new InvalidArgumentError("Expected 1 to 100 characters.");
}

function readId(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected 12 hexadecimal digits.");
}
