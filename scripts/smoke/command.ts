import { Command, InvalidArgumentError, Option } from "commander";
import { parseOrigin } from "../../shared/origin.ts";

/** The deployment to check, as the command line names it. */
export interface SmokeRequest {
  origin: string;
  apiKey: string | undefined;
  /** How long the cache may take to find a result. */
  hitSeconds: number;
}

interface Flags {
  key?: string;
  hitSeconds: number;
}

/** The command line of `npm run tool -- smoke`. */
export function smokeCommand(smoke: (request: SmokeRequest) => Promise<void>): Command {
  return new Command("npm run tool -- smoke")
    .description("Asks a deployment for everything it offers, once, and says in words what is not as it should be.")
    .argument("<address>", "where the edge answers, such as https://captions.example.com", readOrigin)
    .addOption(new Option("--key <key>", "for a deployment that asks for one").env("EDGE_CAPTION_KEY"))
    .option(
      "--hit-seconds <n>",
      "how long the second upload of a photo may go on missing the cache; KV may deny for a minute what it has",
      readSeconds,
      75,
    )
    .addHelpText("after", examples)
    .exitOverride()
    .action((origin: string, { key, hitSeconds }: Flags) => smoke({ origin, apiKey: key, hitSeconds }));
}

const examples = `
Examples:
  npm run tool -- smoke https://captions.example.com
  npm run tool -- smoke http://localhost:8787          what npm start has brought up

It captions one small picture that nobody has sent before, so that the model runs.`;

function readOrigin(text: string): string {
  const url = parseOrigin(text);
  if (url !== undefined) return url.origin;
  throw new InvalidArgumentError("Expected an address such as https://captions.example.com.");
}

function readSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected whole seconds.");
}
