import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { PhotoSupply } from "../load/photo-supply.ts";
import { brokenPromises, recoveryOf, type Tally, tallyOf } from "./check-promises.ts";
import type { Fault, Scene } from "./fault.ts";
import { SteadyLoad } from "./steady-load.ts";
import { TestDeployment } from "./test-deployment.ts";

const calmSeconds = 3;
const pollMs = 100;
const knownPhotos = 8;
/** Factor by which the wait exceeds the promised recovery time, so that a late recovery is still measured. */
const patience = 2;

export interface Trial {
  /** The bundle to serve; it is copied. */
  modelDir: string;
  supply: PhotoSupply;
  perSecond: { known: number; new: number };
  signal: AbortSignal;
}

export interface Outcome {
  fault: Fault;
  known: Tally;
  new: Tally;
  /** Seconds from the end of the fault until new photos were captioned; undefined if they never were. */
  recovery: number | undefined;
  broken: string[];
  notes: string[];
}

/** Starts the product, applies the fault under load, waits for recovery, and stops everything. */
export async function tryFault(fault: Fault, { modelDir, supply, perSecond, signal }: Trial): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "chaos-"));
  const bundle = join(folder, "bundle");
  let deployment: TestDeployment | undefined;
  let load: SteadyLoad | undefined;
  try {
    await cp(modelDir, bundle, { recursive: true });
    const { service = (program) => program } = fault;
    const stateDir = join(folder, "edge");
    const apiKey = (await fault.fill?.(stateDir)) ?? "";
    deployment = await TestDeployment.start({
      modelDir: bundle,
      stateDir,
      service: (program) => service(program, folder),
      signal,
    });
    const { edge } = deployment;
    const wasEdgeAway = deployment.wasEdgeAway.bind(deployment);
    load = await SteadyLoad.start({ edge, supply, knownPhotos, perSecond, wasEdgeAway });
    return await breakAndMend(fault, { deployment, load, modelDir: bundle, folder, apiKey, signal });
  } finally {
    await load?.abandon();
    await deployment?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Stage {
  deployment: TestDeployment;
  load: SteadyLoad;
  modelDir: string;
  folder: string;
  apiKey: string;
  signal: AbortSignal;
}

async function breakAndMend(fault: Fault, { load, signal, ...places }: Stage): Promise<Outcome> {
  const [broken, notes]: [string[], string[]] = [[], []];
  const { requests } = load;
  let mendedMs: number | undefined;
  const hold = (seconds: number) => setTimeout(1000 * seconds, undefined, { signal });
  const scene: Scene = {
    ...places,
    requests,
    hold,
    async until(isSo, { seconds, what }) {
      const untilMs = performance.now() + 1000 * seconds;
      while (!(await isSo())) {
        if (performance.now() > untilMs) return void broken.push(`not so within ${seconds} s: ${what}`);
        await hold(pollMs / 1000);
      }
    },
    expect: (isSo, what) => void (isSo || broken.push(`not so: ${what}`)),
    note: (text) => void notes.push(text),
    mended: () => {
      mendedMs ??= performance.now();
    },
  };
  await hold(calmSeconds);
  const brokenMs = performance.now();
  await fault.run(scene);
  const fromMs = mendedMs ?? performance.now();
  const impatientMs = fromMs + 1000 * patience * fault.recoverySeconds;
  while (recoveryOf(requests, fromMs) === undefined && performance.now() < impatientMs) await hold(pollMs / 1000);
  await load.stop();
  const recovery = recoveryOf(requests, fromMs);
  return {
    fault,
    known: tallyOf(requests.filter(({ kind }) => kind === "known")),
    new: tallyOf(requests.filter(({ kind }) => kind === "new")),
    recovery,
    broken: [...brokenPromises(fault, { requests, recovery, brokenMs }), ...broken],
    notes,
  };
}
