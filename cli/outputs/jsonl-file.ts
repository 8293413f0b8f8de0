import * as z from "zod";
import { AppendFile } from "../../files/append-file.ts";
import { readJsonLines } from "../../files/read-lines.ts";
import { captionQuery } from "../../shared/caption-options.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { terminalJson } from "../../shared/terminal-text.ts";
import { photoKeyOf } from "../state/state-index.ts";
import type { CaptionToList, Listing } from "./output.ts";
import { openOutputStream } from "./output-stream.ts";

const lineSchema = z.object({
  path: z.string(),
  result: captionResultSchema.pick({ id: true, contentId: true, model: true, options: true }),
});

/**
 * Opens the JSON lines for `--jsonl`, an object with `path` and `result` each. The file only grows: a photo that it has
 * already, from the same model with the same options, is not written again. A pipe counts as empty.
 */
export async function openJsonlFile(path: string, { signal }: { signal: AbortSignal }): Promise<Listing> {
  const stream = await openOutputStream(path, { signal });
  const { there, file } = stream ? { there: new Set<string>(), file: stream } : await openGrowing(path);
  return {
    async add(photo) {
      const key = lineKeyOf(photo);
      if (there.has(key)) return;
      there.add(key);
      await file.append(`${terminalJson(jsonLineOf(photo))}\n`);
    },
    end: () => file.close(),
  };
}

async function openGrowing(path: string): Promise<{ there: Set<string>; file: AppendFile }> {
  const there = new Set<string>();
  let size = 0;
  for await (const { value, end } of readJsonLines(path, { opening: '{"path":' })) {
    const line = lineSchema.safeParse(value);
    if (line.success) there.add(lineKeyOf(line.data));
    size = end;
  }
  return { there, file: await AppendFile.open(path, { size }) };
}

/** Makes the object for a photo's line, in a file or on standard output. Fields that do not apply are left out. */
export function jsonLineOf({ path, result, caption, model, isUnsure }: CaptionToList): object {
  return {
    path,
    ...(model === undefined ? { corrected: caption } : {}),
    ...(isUnsure ? { unsure: true } : {}),
    result,
  };
}

function lineKeyOf({ path, result }: z.infer<typeof lineSchema>): string {
  const { model, options } = result;
  return JSON.stringify([path, photoKeyOf(result), model.revision, captionQuery(options)]);
}
