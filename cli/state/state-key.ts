import { createHmac, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileErrorReason } from "../../files/file-error.ts";
import { readRegularFile } from "../../files/regular-file.ts";
import { writeWhole } from "../../files/write-whole.ts";

const keyBytes = 32;
/** Of each line's mark, in characters of 6 bits. */
const markLength = 22;
/** Behind a line of a state, in front of its last brace. */
const markedEnd = new RegExp(`,"by":"([\\w-]{${markLength}})"\\}\n?$`);

/** Tells what this person wrote on this machine from what came from elsewhere. Kept for oneself, it goes with no photos. */
export class StateKey {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** A JSON object with a mark at its end. */
  mark(json: string): string {
    return `${json.slice(0, -1)},"by":"${this.#markOf(json)}"}`;
  }

  hasMarked(line: string): boolean {
    const [end = "", mark] = markedEnd.exec(line) ?? [];
    return mark !== undefined && mark === this.#markOf(`${line.slice(0, -end.length)}}`);
  }

  #markOf(json: string): string {
    return createHmac("sha256", this.#key).update(json).digest("base64url").slice(0, markLength);
  }
}

/** Where the key lies. Copied to another machine, it makes both believe each other's states. */
export function stateKeyPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment;
  const folder = XDG_STATE_HOME || LOCALAPPDATA || join(homedir(), ".local", "state");
  return join(folder, "edge-caption", "state-key");
}

/** The key; undefined where there is none and `makes` is not given, or where none can be kept. */
export async function openStateKey({ makes }: { makes: boolean }): Promise<StateKey | undefined> {
  const path = stateKeyPath();
  try {
    if (makes) await makeKey(path);
    return await readKey(path);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (fileErrorReason(cause) === undefined) throw error;
    return undefined;
  }
}

/** Two runs that begin at once have one key: the first that is whole takes the name. */
async function makeKey(path: string): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const key = randomBytes(keyBytes).toString("hex");
  await writeWhole(path, [key], { temporary: `${path}.${process.pid}`, mode: 0o600, replaces: false });
}

async function readKey(path: string): Promise<StateKey> {
  const text = Buffer.from(await readRegularFile(path))
    .toString()
    .trim();
  const key = Buffer.from(text, "hex");
  if (key.length === keyBytes) return new StateKey(key);
  throw new Error(`${path}: expected ${2 * keyBytes} hexadecimal digits: delete it, and a new one is made`);
}
