import { lockFolder } from "../files/lock-file.ts";
import { say } from "../terminal/progress.ts";
import { RunBundles } from "./bundles.ts";
import { type Need, type Stage, stageFolder, type TrainContext, type TrainRequest } from "./stage.ts";
import { type Dependencies, isMadeWith, StageRecords, writeOutputs } from "./stage-record.ts";

/** Runs stages in order, skipping those that are up to date. Only one run at a time writes into a folder. */
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

/** Prepares a run: nothing is opened or verified before it is needed. */
export function beginRun(request: TrainRequest): TrainContext {
  return { ...request, bundles: new RunBundles(request.settings), records: new StageRecords() };
}

/** Whether a stage's outputs are whole and made from what there is now. Throws where an earlier stage must run first. */
export async function isUpToDate(stage: Stage, context: TrainContext): Promise<boolean> {
  if (stage.isAlwaysRun?.(context)) return false;
  for (const need of needsOf(stage, context)) {
    if (need.ifStale === "remake" && !(await isUpToDate(need.stage, context))) return false;
  }
  const dependencies = await dependenciesOf(stage, context);
  const record = await context.records.read(stageFolder(context, stage.name));
  return record !== undefined && isMadeWith(record, dependencies);
}

/** Runs a stage, up to date or not, after those that it remakes. */
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

/** The digests of the files that a stage needs, and what else its outputs depend on. */
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
