import { Command, InvalidArgumentError, Option } from "commander";
import { parseOrigin } from "../shared/origin.ts";
import { runProgram } from "../terminal/run-program.ts";
import { checksOf } from "./smoke/checks.ts";
import { runChecks } from "./smoke/run-checks.ts";
import { type SmokeRequest, SmokeTarget } from "./smoke/smoke-target.ts";

const examples = `
Examples:
  npm run tool -- smoke https://captions.example.com
  npm run tool -- smoke http://localhost:8787          what npm start has brought up

It captions one small picture that is new to the edge, so the model runs.`;

/** `npm run tool -- smoke`. Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage. */
const program = smokeCommand(async (request) => {
  process.stdout.write(`${request.origin}\n`);
  if (!(await runChecks(checksOf(await SmokeTarget.of(request))))) process.exitCode = 1;
});

await runProgram(program);

interface Flags {
  key?: string;
  hitSeconds: number;
}

/** The command line of `npm run tool -- smoke`. */
function smokeCommand(smoke: (request: SmokeRequest) => Promise<void>): Command {
  return new Command("npm run tool -- smoke")
    .description("Uses every feature of a deployment once and reports what is wrong.")
    .argument("<address>", "where the edge answers, such as https://captions.example.com", readOrigin)
    .addOption(new Option("--key <key>", "API key, for a deployment that requires one").env("EDGE_CAPTION_KEY"))
    .option(
      "--hit-seconds <n>",
      "how long the second upload of a photo may miss the cache, because KV may lag by a minute",
      readSeconds,
      75,
    )
    .addHelpText("after", examples)
    .exitOverride()
    .action((origin: string, { key, hitSeconds }: Flags) => smoke({ origin, apiKey: key, hitSeconds }));
}

function readOrigin(text: string): string {
  const url = parseOrigin(text);
  if (url !== undefined) return url.origin;
  throw new InvalidArgumentError("Expected an address such as https://captions.example.com.");
}

function readSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected whole seconds.");
}
