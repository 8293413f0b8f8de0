import { onTestFinished, vi } from "vitest";
import type { DataSource } from "../../training/dataset.ts";
import { prepare } from "../../training/prepare.ts";
import { runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { type Run, runNode } from "../support/run-node.ts";
import { oneSource } from "./made-dataset.ts";

export const trainCommand = ["--import", "tsx", "training/main.ts"];

/** A model that is learnt in a moment, on the tiny bundle's encoder. */
export const tinyTraining = [
  ...["--encoder", tinyBundle, "--units", "16", "--embedding-size", "8"],
  ...["--epochs", "2", "--batch", "8"],
];

/** Runs the command as `npm run train` does, in a process of its own. */
export function train(...args: string[]): Promise<Run> {
  return runNode([...trainCommand, ...args]);
}

interface Places extends Partial<TrainSettings> {
  data: string | readonly DataSource[];
  out?: string;
}

/** Runs `prepare` in this process, with a minimum count of 2. Returns where it wrote, and what it said. */
export async function runPrepare({
  data: places,
  out,
  ...settings
}: Places): Promise<{ data: readonly DataSource[]; out: string; said: string }> {
  const heard = listen();
  const data = typeof places === "string" ? oneSource(places) : places;
  const context = {
    data,
    out: out ?? (await temporaryFolder()),
    settings: { ...defaultSettings, minCount: 2, ...settings },
  };
  await runStages([prepare], context);
  return { data, out: context.out, said: heard() };
}

/** Keeps what is said out of the test run's output. Returns a look at it. */
export function listen(): () => string {
  const writes = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockReturnValue(true));
  const stop = () => {
    for (const write of writes) write.mockRestore();
  };
  onTestFinished(stop);
  return () => {
    const said = writes.flatMap((write) => write.mock.calls.map(([text]) => String(text))).join("");
    stop();
    return said;
  };
}
