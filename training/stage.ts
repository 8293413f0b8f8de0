import { join } from "node:path";
import type { RunBundles } from "./bundles.ts";
import type { DataSource } from "./dataset.ts";
import type { TrainSettings } from "./settings.ts";
import type { Dependencies, StageOutputs, StageRecords } from "./stage-record.ts";

/** What the command was asked for. Paths are absolute. */
export interface TrainRequest {
  /** Sources of captioned photos; the bundle is named after the first. */
  data: readonly DataSource[];
  /** Folder in which each stage has its own. */
  out: string;
  settings: TrainSettings;
}

/** A run of the command, in which bundles are opened and outputs verified once. */
export interface TrainContext extends TrainRequest {
  bundles: RunBundles;
  records: StageRecords;
}

/** What a stage runs with. */
interface StageContext extends TrainContext {
  /** Folder of its outputs. */
  folder: string;
  /** Dependencies of its outputs, as they will be recorded. */
  dependencies: Dependencies;
  /** Writes the outputs and their record. Earlier outputs stay until the new ones are whole. */
  save(outputs: StageOutputs): Promise<void>;
}

/** A step from named input files to named output files, which a later run skips as long as neither has changed. */
export interface Stage {
  name: StageName;
  /** Description for `--help`. */
  about: string;
  /** Set if the stage only runs when it is named. */
  isOnRequest?: true;
  /** Whether these settings ask for the stage; by default they do. */
  isWanted?(request: TrainRequest): boolean;
  /** Whether the stage always runs, because checking would take as long. */
  isAlwaysRun?(request: TrainRequest): boolean;
  /** Earlier stages whose outputs it reads; those that the settings do not ask for are skipped. */
  needs: readonly Need[];
  /** Returns what the outputs depend on beside the files that it needs. */
  dependencies(context: TrainContext): Promise<Dependencies>;
  run(context: StageContext): Promise<void>;
}

/** Outputs of an earlier stage, which must be complete. */
export interface Need {
  stage: Stage;
  /** Files of that stage, by the name under which the record has their SHA-256. */
  files: Record<string, string>;
  /**
   * What to do if the outputs were made with other settings: `remake` runs that stage, `refuseAs` refuses them under
   * this description. By default they are accepted.
   */
  ifStale?: "remake" | { refuseAs: string };
}

export type StageName = keyof typeof folders;

const folders = {
  sentences: "sentences",
  prepare: "prepare",
  features: "features",
  evidence: "evidence",
  fit: "fit",
  quantize: "quantize",
  export: "bundle", // what people point MODEL_DIR at
  evaluate: "evaluate",
  report: "report",
} as const;

/** Returns the folder of a stage's outputs. */
export function stageFolder({ out }: Pick<TrainRequest, "out">, stage: StageName): string {
  return join(out, folders[stage]);
}
