import { join } from "node:path";
import { lockFolder } from "../files/lock-file.ts";
import { say } from "../terminal/progress.ts";
import type { DataSource } from "./data-source.ts";
import type { TrainSettings } from "./settings.ts";

/** What a run of the command was asked for. Paths are absolute. */
export interface TrainContext {
  /** Where captioned photos are; the first names what is made of them. */
  data: readonly DataSource[];
  /** Each stage writes into a folder of its own in here. */
  out: string;
  settings: TrainSettings;
}

/** A step from named input files to named output files, which a later run passes over as long as neither has changed. */
export interface Stage {
  name: string;
  /** What it does, for `--help`. */
  about: string;
  /** Of its results under `--out`, where it is not called as the stage is. */
  folder?: string;
  /** Done only when it is asked for by name. */
  isOnRequest?: true;
  /** Whether these settings ask for it; where it is left out, always. */
  isWanted?(context: TrainContext): boolean;
  isUpToDate(context: TrainContext): Promise<boolean>;
  /** Leaves its earlier outputs as they are until the new ones are whole. */
  run(context: TrainContext): Promise<void>;
}

/** Where a stage writes its outputs. */
export function stageFolder({ out }: Pick<TrainContext, "out">, stageName: string): string {
  return join(out, stageName);
}

/** Runs stages in their order, without those that are up to date. One run at a time writes into a folder. */
export async function runStages(stages: readonly Stage[], context: TrainContext): Promise<void> {
  const { shard } = context.settings;
  const unlock = await lockFolder(context.out, shard === undefined ? "run" : `shard-${shard.number}-of-${shard.of}`);
  try {
    for (const stage of stages) {
      if (stage.isWanted?.(context) === false) continue;
      const folder = stageFolder(context, stage.folder ?? stage.name);
      if (await stage.isUpToDate(context)) say(`${stage.name}: up to date in ${folder}`);
      else await stage.run(context);
    }
  } finally {
    await unlock();
  }
}
