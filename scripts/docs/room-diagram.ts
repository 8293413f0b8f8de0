import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { glob } from "tinyglobby";
import { repository } from "../repository.ts";

/** The product's rooms, a folder each, the topmost floor first. `biome.json` holds who may import whom. */
const floors = [
  ["scripts"],
  ["edge", "gpu-service", "cli", "training"],
  ["captioner", "terminal"],
  ["files"],
  ["shared"],
] as const;

const rooms: readonly string[] = floors.flat();

/**
 * Which room imports from which, as a Mermaid flowchart, read from the sources. Throws where an import leads
 * upwards, which `npm run check` refuses as well.
 */
export async function roomDiagram(): Promise<string> {
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
