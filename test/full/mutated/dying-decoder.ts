import { CaptionError } from "../../../shared/errors.ts";

/** Refuses two files, and the third kills its process as a fault in native code does. */
let files = 0;

export async function decodeImage(): Promise<never> {
  files += 1;
  if (files === 3) process.kill(process.pid, "SIGSEGV");
  throw new CaptionError("invalid_image", "on purpose");
}
