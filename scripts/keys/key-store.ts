import * as z from "zod";
import { type KeyRecord, keyEntry, keyPathPrefix, keyRecordSchema, newApiKey } from "../../shared/api-key.ts";
import { terminalText } from "../../shared/terminal-text.ts";
import { showSpinner } from "../../terminal/progress.ts";
import { wranglerAt } from "../wrangler.ts";
import type { KeyPlaceOptions, NewKey } from "./command.ts";

const listSchema = z.array(z.object({ name: z.string(), metadata: z.unknown() }));

/** Makes a key and shows it, on standard output alone, so that a script can take it from there. */
export async function createKey({ name, scopes, tier }: NewKey, place: KeyPlaceOptions): Promise<void> {
  const key = newApiKey();
  const { path, id } = await keyEntry(key);
  const record: KeyRecord = { id, name, scopes, tier, createdAt: new Date().toISOString() };
  await kvKey(place, ["put", path, id, "--metadata", JSON.stringify(record)]);
  process.stderr.write(`${describe(record)}\nThe key, which is stored nowhere and shown this once:\n`);
  process.stdout.write(`${key}\n`);
}

/** Shows what is stored of each key, the eldest first. */
export async function listKeys(place: KeyPlaceOptions): Promise<void> {
  const keys = await readKeys(place);
  for (const { record } of keys.toSorted((one, other) => one.record.createdAt.localeCompare(other.record.createdAt))) {
    process.stdout.write(`${describe(record)}\n`);
  }
  process.stderr.write(`${keys.length} ${keys.length === 1 ? "key" : "keys"}\n`);
}

/** Deletes a key by its id, and says whose it was. */
export async function revokeKey(id: string, place: KeyPlaceOptions): Promise<void> {
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
