import { access, constants, mkdir } from "node:fs/promises";
import { fileErrorReason } from "../../files/file-error.ts";

/** Throws a sentence where one of the folders cannot be made or written to: the edge would say it in a language of its own. */
export async function expectPlaces(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
    } catch (cause) {
      const reason = fileErrorReason(cause);
      if (reason === undefined) throw cause;
      throw new Error(`${folder}: npm start keeps files there, and cannot: ${reason}`, { cause });
    }
  }
}
