import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CaptionError, type ErrorCode } from "../../shared/errors.ts";
import { loaderArguments, programEnding } from "../child-program.ts";
import type { DecodedImage, DecodeSettings } from "./decode-image.ts";

export interface DecodeRequest {
  bytes: Uint8Array;
  settings: DecodeSettings;
}

export type DecodeAnswer = DecodedImage | { code: ErrorCode; message: string };

/**
 * Decodes photos that take long in a process of its own, at a low priority: no decoder can be stopped but with its process,
 * which also gives back its memory at once. It is started for the first such photo, and again after each that was given up.
 */
export class DecodeProcess {
  #child: ChildProcess | undefined;

  /** As `decodeImage`, one photo at a time. Rejects with the signal's reason at once, and ends the work. */
  async decode(request: DecodeRequest, signal: AbortSignal | undefined): Promise<DecodedImage> {
    signal?.throwIfAborted();
    const child = this.#start();
    const abort = () => this.end();
    signal?.addEventListener("abort", abort);
    try {
      const answer = await answerOf(child, request);
      if ("code" in answer) throw new CaptionError(answer.code, answer.message);
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort); // it may still come, in the middle of another photo
    }
  }

  /** Kills it, whatever it is doing. */
  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    const child = fork(fileURLToPath(new URL(`./decode-child${programEnding}`, import.meta.url)), {
      execArgv: loaderArguments(),
      serialization: "advanced",
    });
    child.on("error", () => undefined); // it cannot be started: its exit is told
    child.unref();
    child.channel?.unref();
    this.#child = child;
    return child;
  }
}

/** Throws `invalid_image` where the child ends before it has answered. */
function answerOf(child: ChildProcess, request: DecodeRequest): Promise<DecodeAnswer> {
  return new Promise<DecodeAnswer>((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => {
      reject(new CaptionError("invalid_image", "the image cannot be decoded: the process that decoded it ended"));
    });
    child.send(request, () => undefined); // where it cannot be sent to, it has ended
  }).finally(() => {
    child.removeAllListeners("message");
    child.removeAllListeners("exit");
  });
}
