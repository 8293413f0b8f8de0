import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { showSpinner } from "../../terminal/progress.ts";
import { parseJsonOrNull, type Wrangler } from "../wrangler.ts";
import { jobsPrerequisites, setUpJobs } from "./jobs-prerequisites.ts";
import {
  type DeployRequest,
  type EdgeConfig,
  lookAtNeeds,
  type Prerequisite,
  readEdgeConfig,
  readSecret,
} from "./preflight.ts";

const namespacesSchema = z.array(z.object({ id: z.string(), title: z.string() }));

interface Parts {
  config: EdgeConfig;
  wrangler: Wrangler;
}

const signs = { there: "✓", made: "→", noted: "!", missing: "✗" };

/** Reports what a deployment needs, and deploys if nothing is missing and `--yes` is given. Returns whether all is well. */
export async function deployEdge(
  request: DeployRequest,
  wrangler: Wrangler,
  config: EdgeConfig = readEdgeConfig(request.environment),
): Promise<boolean> {
  const hideWaiting = showSpinner("looking at the settings and at Cloudflare…");
  const needs = await lookAtNeeds(request, { config, wrangler }).finally(hideWaiting);
  needs.push(...jobsPrerequisites(config, request.environment));
  print(`${config.name}, ${request.environment}`);
  for (const need of needs) print(describe(need));
  if (needs.some(({ state }) => state === "missing")) {
    print("\nNothing was changed. Fix what is marked ✗, then run this again.");
    return false;
  }
  if (!request.isForReal) {
    print("\nNothing was changed. --yes does what the arrows say.");
    return true;
  }
  if (!(await setUpJobs(config, request.environment, wrangler))) return false;
  if (!(await deploy(request, wrangler))) return false;
  print(await nextSteps(request, { config, wrangler }));
  return true;
}

/** The secret goes with the worker, so that no version runs without it; its file is gone before this returns. */
async function deploy({ environment, secretFile }: DeployRequest, wrangler: Wrangler): Promise<boolean> {
  const command = ["deploy", "--env", environment];
  if (secretFile === undefined) return (await wrangler.act(command)) === 0;
  const folder = await mkdtemp(join(tmpdir(), "deploy-edge-")); // for this user alone
  try {
    const path = join(folder, "secrets.json");
    await writeFile(path, JSON.stringify({ SERVICE_SECRET: await readSecret(secretFile) }), { mode: 0o600 });
    return (await wrangler.act([...command, "--secrets-file", path])) === 0;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The namespace that wrangler made for the keys goes by this name; `wrangler.toml` does not hold its id. */
async function nextSteps({ environment }: DeployRequest, { config, wrangler }: Parts): Promise<string> {
  const bound = config.kv_namespaces.find(({ binding }) => binding === "KEYS")?.id;
  const { stdout } = await wrangler.ask(["kv", "namespace", "list"]);
  const listed = namespacesSchema.safeParse(parseJsonOrNull(stdout));
  const made = listed.data?.find(({ title }) => title === `${config.name}-keys`)?.id;
  const id = made ?? "<that of KEYS: npx wrangler kv namespace list>";
  const place = `--remote --env ${environment}${bound === undefined ? ` --namespace-id ${id}` : ""}`;
  return `
Next, with the address above:
  npm run tool -- smoke https://…
  npm run tool -- keys create --name operations --scope caption admin ${place}`;
}

function describe({ name, state, words }: Prerequisite): string {
  return `  ${signs[state]} ${name.padEnd(16)} ${words}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
