import { constants, getPriority, setPriority } from "node:os";
import sharp from "sharp";
import { CaptionError } from "../../shared/errors.ts";
import { endingSignals } from "../ending-signals.ts";
import { decodeImage } from "./decode-image.ts";
import type { DecodeAnswer, DecodeRequest } from "./decode-process.ts";

/**
 * Below the engine's, which is below the server's: other photos are captioned while this one is decoded. Not the lowest there
 * is, so that it still gets a tenth of each core which engines keep busy.
 */
const lower = 15;

/** Entry of a process that decodes photos which take long, one at a time, until its parent kills it. */
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + lower));
sharp.concurrency(1);
for (const signal of endingSignals) process.on(signal, () => {}); // what its parent has in hand must still be finished
process.on("disconnect", () => process.kill(process.pid, "SIGKILL")); // an exit would wait for the decoder
process.on("message", async ({ bytes, settings }: DecodeRequest) => {
  const answer = await decodeImage(bytes, settings).catch(answerOf);
  process.send?.(answer);
});

function answerOf(error: unknown): DecodeAnswer {
  const { code, message } = error instanceof CaptionError ? error : { code: "internal" as const, message: `${error}` };
  return { code, message };
}
