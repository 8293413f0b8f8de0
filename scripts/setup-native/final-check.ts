import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { libraryEnvironment } from "../../captioner/engines/native-setup.ts";
import { complaintOf } from "./run-command.ts";

const limitMs = 300_000; // for a GPU that the library has no code for, it is compiled first
const advice = "--force sets it up anew";

/** The child's only message. */
const checkMessageSchema = z.union([
  z.object({
    tensorflow: z.string(),
    device: z.enum(["gpu", "cpu"]),
    convolutionMs: z.number(),
    trainingStepMs: z.number(),
  }),
  z.object({ failure: z.string() }),
]);

export type CheckMessage = z.infer<typeof checkMessageSchema>;
export type CheckReport = Exclude<CheckMessage, { failure: string }> & {
  /** TensorFlow's output during the check. */
  log: string;
};

/** Describes the result of the setup: version, device and times. */
export function describeCheck({ tensorflow, device, ...times }: CheckReport): string {
  const convolution = `a convolution in ${times.convolutionMs.toFixed(0)} ms`;
  const training = `an LSTM training step in ${times.trainingStepMs.toFixed(0)} ms`;
  return `TensorFlow ${tensorflow} runs on the ${device.toUpperCase()}: ${convolution}, ${training}`;
}

/** Explains why a library for GPUs runs on the CPU, with TensorFlow's own message if it gave one. */
export function describeMissingGpu({ log }: CheckReport): string {
  const said = log.split("\n").find((line) => /cuda|gpu/i.test(line));
  return `it found no GPU that it can use${said === undefined ? "" : ` (${said.trim()})`}: see docs/native.md`;
}

/**
 * Runs a convolution and an LSTM training step on the linked library, in a process of its own, which may crash. Throws a
 * sentence if they fail.
 */
export async function runFinalCheck({
  libraryPath,
  signal,
}: {
  libraryPath: string[];
  signal: AbortSignal;
}): Promise<CheckReport> {
  const limit = AbortSignal.timeout(limitMs);
  const child = fork(fileURLToPath(new URL("./check-child.ts", import.meta.url)), {
    execArgv: ["--import", import.meta.resolve("tsx")],
    env: libraryEnvironment({ libraryPath }),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let log = "";
  child.stderr?.on("data", (chunk) => {
    log += chunk;
  });
  const kill = () => child.kill("SIGKILL");
  const ending = AbortSignal.any([signal, limit]);
  ending.addEventListener("abort", kill, { once: true });
  const message = new Promise<unknown>((resolve) => child.once("message", resolve));
  try {
    const said = await Promise.race([message, once(child, "close")]);
    signal.throwIfAborted();
    if (limit.aborted) throw new Error(`the native engine did not finish its check within ${limitMs / 1000} s`);
    const report = checkMessageSchema.safeParse(said).data;
    if (report === undefined)
      throw new Error(
        `the native engine ended with ${child.signalCode ?? child.exitCode} (${complaintOf(log)}); ${advice}`,
      );
    if ("failure" in report) throw new Error(`the native engine does not run (${report.failure}); ${advice}`);
    return { ...report, log };
  } finally {
    ending.removeEventListener("abort", kill);
    kill();
  }
}
