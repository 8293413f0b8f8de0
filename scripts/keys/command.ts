import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { type KeyScope, type KeyTier, keyScopes, keyTiers } from "../../shared/api-key.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import { repository } from "../repository.ts";

/** Which KV holds the keys. */
export interface KeyPlaceOptions {
  /** Cloudflare's KV; otherwise that of `npm start` on this machine. */
  remote: boolean;
  stateDir: string;
  environment: string | undefined;
  namespaceId: string | undefined;
}

export interface NewKey {
  name: string;
  scopes: KeyScope[];
  tier: KeyTier;
}

interface Actions {
  create: (key: NewKey, place: KeyPlaceOptions) => Promise<void>;
  list: (place: KeyPlaceOptions) => Promise<void>;
  revoke: (id: string, place: KeyPlaceOptions) => Promise<void>;
}

interface PlaceFlags {
  remote?: boolean;
  stateDir: string;
  env?: string;
  namespaceId?: string;
}

/** The command line of `npm run tool -- keys`. */
export function keysCommand({ create, list, revoke }: Actions): Command {
  const program = new Command("npm run tool -- keys")
    .description("API keys of the edge. A key is shown once, when it is made; what is stored is its hash.")
    .addHelpText("after", examples)
    .exitOverride();
  withPlace(program.command("create"))
    .description("makes a key and shows it")
    .requiredOption("--name <text>", "whose key it is, 1 to 100 characters", readName)
    .addOption(
      new Option("--scope <scope...>", "what it may do: caption, or delete captions (admin)")
        .choices(keyScopes)
        .default(["caption"]),
    )
    .addOption(new Option("--tier <tier>", "which rate limit it has").choices(keyTiers).default("standard"))
    .action(({ name, scope, tier, ...place }: PlaceFlags & { name: string; scope: KeyScope[]; tier: KeyTier }) =>
      create({ name, scopes: [...new Set(scope)], tier }, readPlace(place)),
    );
  withPlace(program.command("list"))
    .description("shows what is stored of each key")
    .action((place: PlaceFlags) => list(readPlace(place)));
  withPlace(program.command("revoke"))
    .description("deletes a key; the edge may take it for another minute")
    .argument("<id>", "its id, 12 hexadecimal digits, as list shows it", readId)
    .action((id: string, place: PlaceFlags) => revoke(id, readPlace(place)));
  return program;
}

const examples = `
Examples:
  npm run tool -- keys create --name "Ada's importer" --tier high
  npm run tool -- keys create --name operations --scope caption admin --remote --env production
  npm run tool -- keys list --remote --env production
  npm run tool -- keys revoke 0123456789ab --remote --env production`;

function withPlace(command: Command): Command {
  return command
    .exitOverride()
    .option("--remote", "Cloudflare's KV; otherwise that of npm start on this machine")
    .option("--env <name>", "environment of wrangler.toml, such as production")
    .option("--namespace-id <id>", "the KV namespace, where wrangler.toml has no id for KEYS")
    .option("--state-dir <folder>", "where npm start keeps its KV", join(repository, ".wrangler/state"));
}

function readPlace({ remote = false, stateDir, env, namespaceId }: PlaceFlags): KeyPlaceOptions {
  const invokedFrom = invocationFolder();
  return { remote, stateDir: resolve(invokedFrom, stateDir), environment: env, namespaceId };
}

function readName(text: string): string {
  if (text.length >= 1 && text.length <= 100) return text;
  throw new InvalidArgumentError("Expected 1 to 100 characters.");
}

function readId(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected 12 hexadecimal digits.");
}
