import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { invocationFolder } from "../terminal/command-line.ts";
import { exitOnSignal } from "./interruption.ts";
import { phaseChart } from "./phases/chart.ts";
import { measurePhases } from "./phases/measure.ts";
import { phaseTable } from "./phases/table.ts";
import { startService } from "./running-service.ts";

/** `npm run phases`: where a photo's time goes in the service, as a table and an SVG file. */
const program = new Command("npm run phases --")
  .description("Measures where a photo's time goes in the service: alone, large, and in a crowd.")
  .option("--chart <file>", "SVG file to draw it into", "runs/phases.svg")
  .parse();
const { chart } = program.opts<{ chart: string }>();
const file = resolve(invocationFolder(), chart);

exitOnSignal();
const service = await startService();
try {
  const stays = await measurePhases(service);
  console.log(`In ${service.precision}:\n\n${phaseTable(stays)}`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, phaseChart(stays));
  console.log(`\nchart: ${file}`);
} finally {
  await service.stop();
}
