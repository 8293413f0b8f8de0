import { open } from "node:fs/promises";
import { File, type Group, ready } from "h5wasm/node";
import { describeFileError } from "../../files/file-error.ts";

/** Runs `read` on an open HDF5 file. Errors name the file; what HDF5 says of it is cut down to its innermost reason. */
export async function readHdf5<Result>(path: string, read: (file: Group) => Result): Promise<Result> {
  await expectSignature(path);
  const { activate_throwing_error_handler: throwErrors } = await ready;
  throwErrors(); // else they are printed
  try {
    const file = new File(path, "r");
    try {
      return read(file);
    } finally {
      file.close();
    }
  } catch (cause) {
    throw new Error(`${path}: ${describeReason(cause)}`, { cause });
  }
}

const signature = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");

async function expectSignature(path: string): Promise<void> {
  const beginning = await readBeginning(path);
  if (beginning.equals(signature)) return;
  if (beginning.length === 0) throw new Error(`${path}: expected an HDF5 file, found an empty one`);
  const found = JSON.stringify(beginning.toString("latin1"));
  throw new Error(`${path}: expected an HDF5 file, found one that begins with ${found}`);
}

async function readBeginning(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(signature.length), 0, signature.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new Error(describeFileError(cause, { path }) ?? path, { cause });
  }
}

/** HDF5 tells a stack, `#006: …/H5Fsuper.c line 577 in H5F__super_read(): truncated file: …`. */
function describeReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const innermost = [...message.matchAll(/^ *#\d+: .*?\(\): (.*)$/gm)].at(-1)?.[1];
  return innermost === undefined ? message : `expected a whole HDF5 file, found a damaged one (${innermost})`;
}
