import { lockFolder } from "../files/lock-file.ts";
import { say } from "../terminal/progress.ts";
import { RunBundles } from "./bundles.ts";
import { type Need, type Stage, stageFolder, type TrainContext, type TrainRequest } from "./stage.ts";
import { type Dependencies, isMadeWith, StageRecords, writeOutputs } from "./stage-record.ts";

/** Runs stages in order, skipping those that are up to date. A lock allows one run at a time per folder. */
export async function runStages(stages: readonly Stage[], request: TrainRequest): Promise<void> {
  const { shard } = request.settings;
  const unlock = await lockFolder(request.out, shard === undefined ? "run" : `shard-${shard.number}-of-${shard.of}`);
  try {
    const context = beginRun(request);
    for (const stage of stages) {
      if (stage.isWanted?.(context) === false) continue;
      if (await isUpToDate(stage, context)) say(`${stage.name}: up to date in ${stageFolder(context, stage.name)}`);
      else await runStage(stage, context);
    }
  } finally {
    await unlock();
  }
}

/** Prepares a run. Bundles and outputs are opened and verified when they are first needed. */
export function beginRun(request: TrainRequest): TrainContext {
  return { ...request, bundles: new RunBundles(request.settings), records: new StageRecords() };
}

/**
 * Whether a stage's outputs are complete and match its current dependencies. Throws if an earlier stage has to run
 * first.
 */
export async function isUpToDate(stage: Stage, context: TrainContext): Promise<boolean> {
  if (stage.isAlwaysRun?.(context)) return false;
  for (const need of needsOf(stage, context)) {
    if (need.ifStale === "remake" && !(await isUpToDate(need.stage, context))) return false;
  }
  const dependencies = await dependenciesOf(stage, context);
  const record = await context.records.read(stageFolder(context, stage.name));
  return record !== undefined && isMadeWith(record, dependencies);
}

/** Runs a stage whether or not it is up to date, after the stages that it remakes. */
export async function runStage(stage: Stage, context: TrainContext): Promise<void> {
  for (const { stage: earlier, ifStale } of needsOf(stage, context)) {
    if (ifStale === undefined || (await isUpToDate(earlier, context))) continue;
    if (ifStale === "remake") await runStage(earlier, context);
    else {
      const { name } = earlier;
      throw new Error(
        `expected what ${name} makes with these flags, found ${ifStale.refuseAs}: run the stage ${name} first`,
      );
    }
  }
  const folder = stageFolder(context, stage.name);
  const dependencies = await dependenciesOf(stage, context);
  await stage.run({
    ...context,
    folder,
    dependencies,
    async save(outputs) {
      await writeOutputs(folder, { dependencies, ...outputs });
      context.records.forget(folder);
    },
  });
}

/** Collects the digests of the files that a stage needs, and its other dependencies. */
async function dependenciesOf(stage: Stage, context: TrainContext): Promise<Dependencies> {
  const needed: Dependencies["inputs"] = {};
  for (const need of needsOf(stage, context)) Object.assign(needed, await digestsOf(need, context));
  const { settings, inputs } = await stage.dependencies(context);
  return { settings, inputs: { ...needed, ...inputs } };
}

async function digestsOf({ stage, files }: Need, context: TrainContext): Promise<Dependencies["inputs"]> {
  const outputs = await context.records.outputsOf(stage.name, stageFolder(context, stage.name));
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => {
      const output = outputs[file];
      if (output === undefined) throw new Error(`expected ${file} among what ${stage.name} writes, found none`);
      return [name, output.sha256];
    }),
  );
}

function needsOf(stage: Stage, context: TrainContext): Need[] {
  return stage.needs.filter((need) => need.stage.isWanted?.(context) !== false);
}
