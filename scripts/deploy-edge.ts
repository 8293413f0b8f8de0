import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";
import { deployEdge } from "./deploy-edge/deploy.ts";
import { type DeployRequest, environments } from "./deploy-edge/preflight.ts";
import { wranglerAt } from "./wrangler.ts";

const examples = `
Examples:
  npm run deploy:edge -- --env staging                                       what is missing
  npm run deploy:edge -- --env staging --secret-file service-secret --yes    the first time, and to rotate the secret
  npm run deploy:edge -- --env staging --yes                                 from then on
  npm run deploy:edge -- --dry-run                                           bundle only, as npm run check does

docs/deploy.md leads from nothing to the first caption.`;

/** `npm run deploy:edge`. Exit codes: 0 done, or all is there; 1 something is missing or failed; 2 wrong usage. */
const program = deployEdgeCommand({
  async deploy(request) {
    if (!(await deployEdge(request, wranglerAt()))) process.exitCode = 1;
  },
  async dryRun(environment) {
    const outdir = join(".wrangler/dry-run", environment);
    const code = await wranglerAt().act(["deploy", "--dry-run", "--env", environment, "--outdir", outdir]);
    if (code !== 0) process.exitCode = 1;
  },
});

await runProgram(program);

interface Flags {
  env?: DeployRequest["environment"];
  secretFile?: string;
  yes?: boolean;
  dryRun?: boolean;
}

interface Actions {
  deploy(request: DeployRequest): Promise<void>;
  /** Bundles the worker for an environment as a deployment does, without Cloudflare. */
  dryRun(environment: DeployRequest["environment"]): Promise<void>;
}

/** The command line of `npm run deploy:edge`. */
function deployEdgeCommand({ deploy, dryRun }: Actions): Command {
  const invokedFrom = invocationFolder();
  return new Command("npm run deploy:edge --")
    .description(
      "Says what a deployment of the edge to Cloudflare lacks, and with --yes deploys it. Secrets are never shown.",
    )
    .addOption(new Option("--env <name>", "environment of wrangler.toml").choices(environments))
    .option("--secret-file <file>", "sets SERVICE_SECRET to the content of this file")
    .option("--yes", "deploy; without it, nothing is changed anywhere")
    .addOption(
      new Option(
        "--dry-run",
        "bundle the worker without asking Cloudflare anything; without --env, for each",
      ).conflicts(["secretFile", "yes"]),
    )
    .addHelpText("after", examples)
    .exitOverride()
    .action(async ({ env, secretFile, yes = false, dryRun: isDry = false }: Flags, command: Command) => {
      if (isDry) {
        for (const environment of env === undefined ? environments : [env]) await dryRun(environment);
        return;
      }
      if (env === undefined) command.error("error: required option '--env <name>' not specified");
      await deploy({
        environment: env,
        secretFile: secretFile === undefined ? undefined : resolve(invokedFrom, secretFile),
        isForReal: yes,
      });
    });
}
