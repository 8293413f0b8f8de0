import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import { evaluationSchema } from "../../training/evaluate/evaluate-captions.ts";
import { summarySchema } from "../../training/prepared.ts";
import { repository } from "../repository.ts";
import { benchTables } from "./bench-tables.ts";
import { faultTable, loadTable, memoryTable } from "./endurance-tables.ts";
import type { Tables } from "./fill-tables.ts";
import {
  benchResultsSchema,
  chaosResultsSchema,
  loadResultsSchema,
  readResults,
  soakResultsSchema,
} from "./results.ts";
import { roomDiagram } from "./room-diagram.ts";
import { scalingTables } from "./scaling-tables.ts";
import { evaluationTables, prepareTable } from "./training-tables.ts";

/** Every table that a command's figures make, by name: of the results in docs/results, the shipped bundle, the sources, and forecasts. */
export async function allTables(): Promise<Tables> {
  const { manifest } = await openBundle(defaultModelDir);
  const { faults } = await readResults("chaos.json", chaosResultsSchema);
  const { loads } = await readResults("load.json", loadResultsSchema);
  const summaryOf = (cleaning: string) => readResults(`prepare-${cleaning}.json`, summarySchema);
  return new Map([
    ...benchTables(await readResults("bench.json", benchResultsSchema)),
    ["load", loadTable(loads)],
    ["soak", memoryTable(await readResults("soak.json", soakResultsSchema))],
    ["chaos", faultTable(faults)],
    ...evaluationTables(await readResults("evaluation.json", evaluationSchema), manifest),
    ["prepare", prepareTable(await summaryOf("tutorial"), await summaryOf("natural"))],
    ["rooms", await roomDiagram()],
    ...scalingTables(),
  ]);
}

/** Pages that may have tables, by their paths in the repository. */
export async function pagesWithTables(): Promise<string[]> {
  const pages = (await readdir(join(repository, "docs"))).filter((name) => name.endsWith(".md"));
  return ["README.md", "models/default/README.md", ...pages.map((name) => `docs/${name}`)];
}
