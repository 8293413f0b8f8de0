import { resolve } from "node:path";
import { Command, Option } from "commander";
import { invocationFolder } from "../../terminal/command-line.ts";

/** The environments of wrangler.toml that are deployed. */
const environments = ["staging", "production"] as const;

export interface DeployRequest {
  environment: (typeof environments)[number];
  /** Holds what the services have in SERVICE_SECRETS; undefined where Cloudflare keeps what it has. */
  secretFile: string | undefined;
  /** Otherwise it only looks and tells. */
  isForReal: boolean;
}

interface Flags {
  env: DeployRequest["environment"];
  secretFile?: string;
  yes?: boolean;
}

/** The command line of `npm run deploy:edge`. */
export function deployEdgeCommand(deploy: (request: DeployRequest) => Promise<void>): Command {
  const invokedFrom = invocationFolder();
  return new Command("npm run deploy:edge --")
    .description(
      "Says what a deployment of the edge to Cloudflare lacks, and with --yes deploys it. Secrets are never shown.",
    )
    .addOption(new Option("--env <name>", "environment of wrangler.toml").choices(environments).makeOptionMandatory())
    .option("--secret-file <file>", "sets SERVICE_SECRET to what stands in this file, alone")
    .option("--yes", "deploy; without it, nothing is changed anywhere")
    .addHelpText("after", examples)
    .exitOverride()
    .action(({ env, secretFile, yes = false }: Flags) =>
      deploy({
        environment: env,
        secretFile: secretFile === undefined ? undefined : resolve(invokedFrom, secretFile),
        isForReal: yes,
      }),
    );
}

const examples = `
Examples:
  npm run deploy:edge -- --env staging                                       what is missing
  npm run deploy:edge -- --env staging --secret-file service-secret --yes    the first time, and to rotate the secret
  npm run deploy:edge -- --env staging --yes                                 from then on

docs/deploy.md has the way from nothing to the first caption.`;
