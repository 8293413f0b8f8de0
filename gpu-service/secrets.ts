import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";

const shortestSecret = 16;
const mostBytes = 64 * 1024;
const pollMs = 1000;

/** The secrets that are valid at this moment; undefined if requests need no signature. */
export type Secrets = () => readonly string[] | undefined;

/** Splits a list at commas and line ends. Throws one sentence for a list that cannot be used. */
export function parseSecrets(list: string): string[] {
  const lines = list.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const secrets = lines
    .filter((line) => line.trim() !== "")
    .flatMap((line) => line.split(","))
    .map((secret) => secret.trim());
  if (secrets.length === 0) throw new Error("expected one or more secrets, received none");
  const tooShort = secrets.find((secret) => secret.length < shortestSecret);
  if (tooShort === undefined) return secrets;
  throw new Error(`expected secrets of at least ${shortestSecret} characters, received one of ${tooShort.length}`);
}

/**
 * Reads secrets from a file, and again whenever it changes: its path is read every second, so that a file or link that
 * replaces it is noticed. Contents that cannot be used are logged once, and the former secrets stay valid. Throws one sentence
 * if the first contents cannot be used.
 */
export async function watchSecrets(path: string, log: Logger): Promise<Secrets> {
  const named = (error: unknown) => `SERVICE_SECRETS_FILE: ${error instanceof Error ? error.message : error}`;
  let valid: string[];
  let text: string;
  try {
    text = await readSecretsFile(path);
    valid = parseSecrets(text);
  } catch (cause) {
    throw new Error(named(cause), { cause });
  }
  let seen = text;
  let isReading = false;
  setInterval(async () => {
    if (isReading) return; // the file system hangs
    isReading = true;
    const found = await readSecretsFile(path).catch((error: unknown) => new Error(named(error)));
    isReading = false;
    const state = found instanceof Error ? found.message : found;
    const isSettled = state === seen; // an editor may still be writing the file
    seen = state;
    if (!isSettled || state === text) return;
    text = state;
    try {
      if (found instanceof Error) throw found;
      valid = parseSecrets(found);
      log.info({ secrets: valid.length }, "read new secrets");
    } catch (error) {
      const reason = found instanceof Error ? found.message : named(error);
      log.error({ error: reason }, "kept the secrets: the file of new ones cannot be used");
    }
  }, pollMs).unref();
  return () => valid;
}

/** Reads a regular file, also through links: reading a pipe would never end. */
async function readSecretsFile(path: string): Promise<string> {
  const found = await stat(path).catch((cause) => {
    throw new Error(`expected a file at ${path}, received ${cause.code ?? cause.message}`, { cause });
  });
  if (!found.isFile()) throw new Error(`expected a file at ${path}, received something else of that name`);
  if (found.size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes at ${path}, received ${found.size}`);
  return readFile(path, "utf8");
}
