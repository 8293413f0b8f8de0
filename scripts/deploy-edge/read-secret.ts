import { readFile } from "node:fs/promises";

/** What the edge and the service ask for, at least. */
const shortest = 16;

/** The secret that a file holds. What is wrong with it is said without a character of it. */
export async function readSecret(path: string): Promise<string> {
  const secret = (await readFile(path, "utf8")).trim();
  if (/[\s,"'\\#]/.test(secret)) throw new Error(`${path}: expected one secret, without spaces, commas and quotes`);
  if (secret.length < shortest) {
    throw new Error(`${path}: expected a secret of at least ${shortest} characters, received ${secret.length}`);
  }
  return secret;
}
