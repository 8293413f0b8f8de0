import { resolve } from "node:path";
import { Argument, Command, Option } from "commander";
import { defaultModelDir } from "../../../captioner/bundle.ts";
import { invocationFolder, readCount } from "../../../terminal/command-line.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import { type Shape, shapes } from "./shapes.ts";

export interface LoadRequest {
  modelDir: string;
  shapes: readonly Shape[];
  /** Duration of each shape. */
  seconds: number;
  /** Minutes of the soak, if there is to be one, and the file for its chart. */
  soak: { minutes: number; chart: string } | undefined;
  /** Whether the figures go into docs/results. */
  record: boolean;
}

interface Flags {
  seconds: number;
  minutes: number;
  chart: string;
  tiny?: boolean;
  record?: boolean;
}

/** The command line of `npm run tool -- load`. */
export function loadCommand(load: (request: LoadRequest) => Promise<void>): Command {
  const names = [...shapes.map(({ name }) => name), "soak"];
  return new Command("npm run tool -- load")
    .description("Puts what npm start brings up under load, on this machine, and checks every answer.")
    .addArgument(new Argument("[load...]", "loads to run; by default all but the soak").choices(names))
    .option("--seconds <n>", "how long each load lasts", readCount, 15)
    .option("--minutes <n>", "how long the soak lasts", readCount, 10)
    .option("--chart <file>", "SVG file for the soak's memory", "runs/soak.svg")
    .option("--tiny", "use the tests' tiny model, a thousandth of the work")
    .addOption(
      new Option("--record", "write the figures to docs/results: of all loads, or of the soak alone").conflicts("tiny"),
    )
    .addHelpText("after", help)
    .exitOverride()
    .action((chosen: string[], { seconds, minutes, chart, tiny = false, record = false }: Flags, command: Command) => {
      if (record && chosen.length > 0 && chosen.join() !== "soak") {
        command.error("error: --record takes all loads, without names, or the soak alone");
      }
      const invokedFrom = invocationFolder();
      return load({
        modelDir: tiny ? tinyBundle : defaultModelDir,
        shapes: chosen.length === 0 ? shapes : shapes.filter(({ name }) => chosen.includes(name)),
        seconds,
        soak: chosen.includes("soak") ? { minutes, chart: resolve(invokedFrom, chart) } : undefined,
        record,
      });
    });
}

const help = `
Loads:
${shapes.map(({ name, about, connections }) => `  ${name.padEnd(12)}${about}; ${connections} clients`).join("\n")}
  soak        the mixed load for minutes, with the memory of edge and service

Every answer must be a caption of the photo that was sent, or under overload a 503 or 429 with Retry-After.
In a soak of five minutes or more, the service's memory must not grow. Prints tables in Markdown. Load and servers share the machine, so figures are lower
bounds. Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage, 130 interrupted.

Examples:
  npm run tool -- load
  npm run tool -- load cached --seconds 60
  npm run tool -- load soak --minutes 10`;
