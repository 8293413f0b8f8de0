import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileErrorReason } from "../../files/file-error.ts";
import { readRegularFile } from "../../files/regular-file.ts";
import { writeWhole } from "../../files/write-whole.ts";

const keyBytes = 32;
/** Length of each line's mark, in characters of 6 bits. */
const markLength = 22;
/** The end of a line of a state with a mark before its last brace. */
const markedEnd = new RegExp(`,"by":"([\\w-]{${markLength}})"\\}\n?$`);

/** Distinguishes lines that this user wrote on this machine from those that came from elsewhere. The key is stored apart from photos. */
export class StateKey {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Adds a mark to the end of a JSON object. */
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

/** Returns the path of the key. Copied to another machine, the key makes both believe each other's states. */
export function stateKeyPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment;
  const folder = XDG_STATE_HOME || LOCALAPPDATA || join(homedir(), ".local", "state");
  return join(folder, "edge-caption", "state-key");
}

/** Reads the key; undefined if there is none and `makes` is not given, or if none can be stored. */
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

/** Makes a key unless there is one. Two runs that begin at once get the same: the first that is whole takes the name. */
async function makeKey(path: string): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const key = randomBytes(keyBytes).toString("hex");
  await writeWhole(path, [key], { temporary: `${path}.${randomUUID()}`, mode: 0o600, replaces: false });
}

async function readKey(path: string): Promise<StateKey> {
  const text = Buffer.from(await readRegularFile(path))
    .toString()
    .trim();
  const key = Buffer.from(text, "hex");
  if (key.length === keyBytes) return new StateKey(key);
  throw new Error(`${path}: expected ${2 * keyBytes} hexadecimal digits: delete it, and a new one is made`);
}
