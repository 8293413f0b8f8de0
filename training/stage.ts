import { join } from "node:path";
import type { RunBundles } from "./bundles.ts";
import type { DataSource } from "./dataset.ts";
import type { TrainSettings } from "./settings.ts";
import type { Dependencies, StageOutputs, StageRecords } from "./stage-record.ts";

/** What the command was asked for. Paths are absolute. */
export interface TrainRequest {
  /** Where captioned photos are; the bundle is named after the first. */
  data: readonly DataSource[];
  /** Each stage writes into its own folder in here. */
  out: string;
  settings: TrainSettings;
}

/** A run of the command, in which bundles are opened and outputs verified once. */
export interface TrainContext extends TrainRequest {
  bundles: RunBundles;
  records: StageRecords;
}

/** What a stage is run with. */
export interface StageContext extends TrainContext {
  /** Where its outputs go. */
  folder: string;
  /** What its outputs depend on, as it will be recorded. */
  dependencies: Dependencies;
  /** Writes the outputs with their record. Earlier ones stay as they are until the new ones are whole. */
  save(outputs: StageOutputs): Promise<void>;
}

/** A step from named input files to named output files, which a later run skips as long as neither has changed. */
export interface Stage {
  name: StageName;
  /** Description for `--help`. */
  about: string;
  /** Set where the stage runs only when it is asked for by name. */
  isOnRequest?: true;
  /** Whether these settings ask for the stage; left out, they always do. */
  isWanted?(request: TrainRequest): boolean;
  /** Whether the stage runs each time, because checking would take as long as running. */
  isAlwaysRun?(request: TrainRequest): boolean;
  /** The earlier stages whose outputs it reads, those aside that the settings do not ask for. */
  needs: readonly Need[];
  /** What the outputs depend on beside the files that it needs. */
  dependencies(context: TrainContext): Promise<Dependencies>;
  run(context: StageContext): Promise<void>;
}

/** Outputs of an earlier stage, which must be whole. */
export interface Need {
  stage: Stage;
  /** Files of that stage, by the name under which the record keeps their SHA-256. */
  files: Record<string, string>;
  /** What happens where the outputs are of other settings: `remake` runs that stage, a text refuses them, saying what they are. */
  ifStale?: "remake" | { refuseAs: string };
}

export type StageName = keyof typeof folders;

const folders = {
  sentences: "sentences",
  prepare: "prepare",
  features: "features",
  fit: "fit",
  quantize: "quantize",
  export: "bundle", // what people point MODEL_DIR at
  evaluate: "evaluate",
  report: "report",
} as const;

/** The folder of a stage's outputs. */
export function stageFolder({ out }: Pick<TrainRequest, "out">, stage: StageName): string {
  return join(out, folders[stage]);
}
