import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CaptionError, type ErrorCode } from "../../shared/errors.ts";
import { loaderArguments, programExtension } from "../child-process.ts";
import type { DecodedImage, DecodeSettings, ValidatedPhoto } from "./decode-image.ts";

export interface DecodeRequest {
  photo: ValidatedPhoto;
  settings: Pick<DecodeSettings, "preprocessing" | "maxPixels">;
}

export type DecodeAnswer = DecodedImage | { code: ErrorCode; message: string };

/**
 * Decodes photos that take long in a process of its own, at a low priority: a decoder can only be stopped with its process,
 * which also frees its memory at once. The process starts with the first photo, and again after each that was given up.
 */
export class DecodeProcess {
  #child: ChildProcess | undefined;

  /** The same as `decodeValidated`, one photo at a time. When the signal aborts, kills the process and rejects with the signal's reason. */
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
      signal?.removeEventListener("abort", abort); // it may still abort, during another photo
    }
  }

  /** Kills the process. */
  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    const child = fork(fileURLToPath(new URL(`./decode-child${programExtension}`, import.meta.url)), {
      execArgv: loaderArguments(),
      serialization: "advanced",
    });
    child.on("error", () => undefined); // a process that cannot start also exits
    child.unref();
    child.channel?.unref();
    this.#child = child;
    return child;
  }
}

/** Throws `invalid_image` if the child ends before it has answered. */
function answerOf(child: ChildProcess, request: DecodeRequest): Promise<DecodeAnswer> {
  return new Promise<DecodeAnswer>((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => {
      reject(new CaptionError("invalid_image", "the image cannot be decoded: the process that decoded it ended"));
    });
    child.send(request, () => undefined); // a failure to send means that it has ended
  }).finally(() => {
    child.removeAllListeners("message");
    child.removeAllListeners("exit");
  });
}
