import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { FilePin } from "./checksums.ts";

/** The SHA-256 of a file of any size, as hex digits. */
export async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) hash.update(chunk);
  return hash.digest("hex");
}

/** Throws a sentence where a file is not the one of the pin. */
export async function expectPinned(
  path: string,
  { pin, signal }: { pin: FilePin; signal: AbortSignal },
): Promise<void> {
  const { size } = await stat(path);
  if (pin.size !== undefined && pin.size.bytes !== size)
    throw new Error(`${path}: expected ${pin.size.bytes} bytes for ${pin.file}, found ${size}: fetch it again`);
  const found = await sha256OfFile(path, signal);
  if (found !== pin.sha256)
    throw new Error(
      `${path}: expected sha256 ${pin.sha256} for ${pin.file}, found ${found}: it is not what was pinned`,
    );
}

/** Whether a file is there, and is the one of the pin. */
export async function isPinned(path: string, { pin, signal }: { pin: FilePin; signal: AbortSignal }): Promise<boolean> {
  try {
    await expectPinned(path, { pin, signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
