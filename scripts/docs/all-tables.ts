import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { glob } from "tinyglobby";
import * as z from "zod";
import { defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import { evaluationSchema } from "../../training/evaluate/evaluate-captions.ts";
import { summarySchema } from "../../training/prepared.ts";
import { repository } from "../repository.ts";
import { scalingCommand } from "../scaling/command.ts";
import { expectedHitRate } from "../scaling/hit-rate.ts";
import { describeScaling } from "../scaling/report.ts";
import { benchTables } from "./bench-tables.ts";
import { faultTable, loadTable, memoryTable } from "./endurance-tables.ts";
import {
  benchResultsSchema,
  chaosResultsSchema,
  loadResultsSchema,
  readResults,
  soakResultsSchema,
} from "./results.ts";
import { markdownTable, type Tables } from "./tables.ts";
import { evaluationTables, prepareTable } from "./training-tables.ts";

/** The example of docs/scaling.md. */
const example = ["--rate", "1,10,1000", "--hit-rate", "0.8", "--host-price", "0.10"];

const collections = [
  [1e6, "1 million"],
  [1e7, "10 million"],
  [1e8, "100 million"],
] as const;
const exponents = [0.6, 0.8, 1];
const rates = [1, 10, 1000];
const ttlDays = 30;

/** The product's rooms, a folder each, the topmost floor first. `biome.json` holds who may import whom. */
const floors = [
  ["scripts"],
  ["edge", "gpu-service", "cli", "training"],
  ["captioner", "terminal", "pages"],
  ["files"],
  ["shared"],
] as const;

const rooms: readonly string[] = floors.flat();

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
    ["badges", await badges()],
    ["rooms", await roomDiagram()],
    ...scalingTables(),
  ]);
}

/** Pages that may have tables, by their paths in the repository. */
export async function pagesWithTables(): Promise<string[]> {
  const pages = (await readdir(join(repository, "docs"))).filter((name) => name.endsWith(".md"));
  return ["README.md", "models/default/README.md", ...pages.map((name) => `docs/${name}`)];
}

const manifestSchema = z.object({ version: z.string(), license: z.string() });

/** README's badges. CI's address is relative, so it is that of the repository that shows the page. */
async function badges(): Promise<string> {
  const { version, license } = manifestSchema.parse(
    JSON.parse(await readFile(join(repository, "package.json"), "utf8")),
  );
  const workflow = "../../actions/workflows/ci.yml";
  const badge = (name: string, value: string, link: string) =>
    `[![${name}: ${value}](https://img.shields.io/badge/${name}-${value.replaceAll("-", "--")}-blue)](${link})`;
  return [
    `[![CI](${workflow}/badge.svg)](${workflow})`,
    badge("licence", license, "LICENSE"),
    badge("version", version, "CHANGELOG.md"),
  ].join("\n");
}

/** What `npm run tool -- scaling` forecasts: the example's output, and hit rates by collection and Zipf's exponent. */
function scalingTables(): [string, string][] {
  let printed = "";
  const program = scalingCommand((request) => {
    printed = describeScaling(request);
  });
  program.parse(example, { from: "user" });
  const rows = collections.flatMap(([photos, name]) =>
    exponents.map((exponent, index) => [
      index === 0 ? name : "",
      String(exponent),
      ...rates.map((rate) => (100 * expectedHitRate({ photos, exponent, ttlDays }, rate)).toFixed(0)),
    ]),
  );
  return [
    ["scaling-example", `\`\`\`\n${printed}\`\`\``],
    ["hit-rates", markdownTable(["different photos", "exponent", "1 photo a second", "10", "1 000"], rows)],
  ];
}

/**
 * Which room imports from which, as a Mermaid flowchart, read from the sources. Throws if an import leads
 * upwards, which `npm run check` refuses as well.
 */
async function roomDiagram(): Promise<string> {
  const arrows = new Set<string>();
  for (const path of await glob(
    rooms.map((room) => `${room}/**/*.{ts,js}`),
    { cwd: repository },
  )) {
    const [room = ""] = path.split("/");
    const source = await readFile(join(repository, path), "utf8");
    for (const other of importedRooms(source)) {
      if (other === room || !rooms.includes(other)) continue;
      if (rooms.indexOf(other) < rooms.indexOf(room))
        throw new Error(`${path} imports from ${other}/, which is above it`);
      arrows.add(`  ${room} --> ${other}`);
    }
  }
  const boxes = floors.map((names, floor) => [
    `  subgraph floor${floor} [" "]`,
    ...names.map((name) => `    ${name}`),
    "  end",
  ]);
  return ["```mermaid", "flowchart TD", ...boxes.flat(), ...[...arrows].toSorted(), "```"].join("\n");
}

function importedRooms(source: string): Set<string> {
  const paths = [...source.matchAll(/(?:from|import\() ?"(?:\.\.\/)+(?<room>[\w-]+)\//g)];
  return new Set(paths.map(({ groups }) => groups?.room ?? ""));
}
