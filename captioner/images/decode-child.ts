import { constants, getPriority, setPriority } from "node:os";
import sharp from "sharp";
import { CaptionError } from "../../shared/errors.ts";
import { endingSignals } from "../child-process.ts";
import { decodeValidated } from "./decode-image.ts";
import type { DecodeAnswer, DecodeRequest } from "./decode-process.ts";

/**
 * Niceness above the engine's, which is above the server's: other photos are captioned while this one is decoded. Not the
 * highest, so that it still gets a tenth of a core that engines keep busy.
 */
const lower = 15;

/** Entry of a process that decodes photos that take long, one at a time, until its parent kills it. */
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + lower));
sharp.concurrency(1);
for (const signal of endingSignals) process.on(signal, () => {}); // its parent still finishes admitted photos
process.on("disconnect", () => process.kill(process.pid, "SIGKILL")); // an exit would wait for the decoder
process.on("message", async ({ photo, settings }: DecodeRequest) => {
  const answer = await decodeValidated(photo, settings).catch(answerOf);
  process.send?.(answer);
});

function answerOf(error: unknown): DecodeAnswer {
  const { code, message } = error instanceof CaptionError ? error : { code: "internal" as const, message: `${error}` };
  return { code, message };
}
