import { resolve } from "node:path";
import { Argument, Command, Option } from "commander";
import { defaultModelDir } from "../../../captioner/bundle.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import type { Fault } from "./fault.ts";
import { faults } from "./faults.ts";
import { shortened } from "./test-deployment.ts";

export interface ChaosRequest {
  faults: readonly Fault[];
  modelDir: string;
  perSecond: { known: number; new: number };
  /** Whether the outcomes go into docs/results. */
  record: boolean;
}

interface Flags {
  tiny?: boolean;
  record?: boolean;
}

/** The command line of `npm run chaos`. */
export function chaosCommand(run: (request: ChaosRequest) => Promise<void>): Command {
  const names = faults.map(({ name }) => name);
  return new Command("npm run chaos --")
    .description(
      "Breaks the running product in every way that it promises to survive, while photos keep coming, and checks each promise.",
    )
    .addArgument(new Argument("[fault...]", "faults to try; by default all, one after the other").choices(names))
    .option("--tiny", "use the tests' tiny model, a thousandth of the work, at a quicker pace")
    .addOption(
      new Option(
        "--record",
        "write the outcomes to docs/results/chaos.json; with names, only those rows, on the machine of the others",
      ).conflicts("tiny"),
    )
    .addHelpText("after", help)
    .exitOverride()
    .action((chosen: string[], { tiny = false, record = false }: Flags) => {
      return run({
        faults: chosen.length === 0 ? faults : faults.filter(({ name }) => chosen.includes(name)),
        modelDir: tiny ? tinyBundle : resolve(defaultModelDir),
        perSecond: tiny ? { known: 10, new: 6 } : { known: 5, new: 3 },
        record,
      });
    });
}

const help = `
Faults:
${faults.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join("\n")}

Each is tried on a fresh deployment: the edge in Cloudflare's runtime, the service, a proxy between them and a host that restarts the
service. A request is lost if it gets neither a caption nor a problem document of the contract in time;
requests that break off because the edge itself is killed are counted separately. The edge gives a caption ${shortened.captionMs / 1000} s here, leaves a
failing service alone for ${shortened.restSeconds} s, and an engine is silent for at most ${shortened.engineTimeoutMs / 1000} s: shorter than by default, so that this ends.

Prints a table in Markdown. Exit codes: 0 all promises kept, 1 a promise broken or another failure, 2 wrong usage, 130 interrupted.`;
