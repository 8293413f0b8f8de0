import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import * as z from "zod";
import { parseOrigin } from "../../shared/origin.ts";
import { repository } from "../repository.ts";
import { monthAtEdge, monthlyPrice } from "../scaling/edge-cost.ts";
import { parseJsonOrNull, type Wrangler } from "../wrangler.ts";

/** CPU time of a request at the edge and of a photo in the service, as in docs/deploy.md. */
const cpuMs = 5;
const flightMs = 100;
const ttlDays = 30;

/** The least that the edge and the service accept. */
const minSecretLength = 16;

/** The environments of wrangler.toml that are deployed. */
export const environments = ["staging", "production"] as const;

export interface DeployRequest {
  environment: (typeof environments)[number];
  /** Holds what the services have in SERVICE_SECRETS; undefined if Cloudflare keeps what it has. */
  secretFile: string | undefined;
  /** Whether to change anything; otherwise it only reports. */
  isForReal: boolean;
}

/** One thing that a deployment needs. */
export interface Prerequisite {
  name: string;
  /** `there`; `made` by the deployment; `noted`, to think about; or `missing`, for a person to do something about. */
  state: "there" | "made" | "noted" | "missing";
  /** What is there, what will be made, or what to do. */
  words: string;
}

const accountSchema = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const secretsSchema = z.array(z.object({ name: z.string() }));
const configSchema = z.object({
  name: z.string(),
  account_id: z.string().optional(),
  vars: z.record(z.string(), z.unknown()),
  ratelimits: z.array(z.object({ name: z.string(), simple: z.object({ limit: z.number(), period: z.number() }) })),
  kv_namespaces: z.array(z.object({ binding: z.string(), id: z.string().optional() })),
  d1_databases: z.array(
    z.object({ binding: z.string(), database_name: z.string().optional(), database_id: z.string().optional() }),
  ),
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: z.string() })).default([]),
    consumers: z.array(z.object({ queue: z.string() })).default([]),
  }),
  workflows: z.array(z.object({ binding: z.string() })),
  r2_buckets: z.array(z.object({ binding: z.string(), bucket_name: z.string().optional() })),
  triggers: z.object({ crons: z.array(z.string()).default([]) }),
});

export type EdgeConfig = z.infer<typeof configSchema>;

/** What `wrangler.toml` says of an environment. */
export function readEdgeConfig(environment: string): EdgeConfig {
  const options = { hideWarnings: true }; // of jobs, which npm start has and a deployment need not; `wrangler deploy` prints all
  return configSchema.parse(
    unstable_readConfig({ config: join(repository, "wrangler.toml"), env: environment }, options),
  );
}

/** Looks at the settings and at Cloudflare, and changes nothing. */
export async function lookAtNeeds(
  { environment, secretFile }: DeployRequest,
  { config, wrangler }: { config: EdgeConfig; wrangler: Wrangler },
): Promise<Prerequisite[]> {
  if (secretFile !== undefined) await readSecret(secretFile); // or it says what is wrong with it
  const account = await lookAtAccount(wrangler, config);
  const needs = [account, originsNeed(config, environment), namespacesNeed(config), ...describeCallers(config)];
  if (account.state === "missing") return [...needs, secretNeed(secretFile, undefined)];
  const secrets = await wrangler.ask(["secret", "list", "--env", environment]);
  const isDeployed = secrets.code === 0;
  if (!isDeployed && !/not found|does not exist/i.test(secrets.stdout + secrets.stderr)) {
    throw new Error(`wrangler could not list the secrets: ${(secrets.stderr || secrets.stdout).trim()}`);
  }
  const names = isDeployed ? secretsSchema.parse(parseJsonOrNull(secrets.stdout)).map(({ name }) => name) : [];
  return [...needs, secretNeed(secretFile, names.includes("SERVICE_SECRET")), workerNeed(config, isDeployed)];
}

async function lookAtAccount(wrangler: Wrangler, { account_id }: EdgeConfig): Promise<Prerequisite> {
  const name = "account";
  const { stdout, stderr } = await wrangler.ask(["whoami", "--json"]);
  const answer = accountSchema.safeParse(parseJsonOrNull(stdout));
  if (!answer.success) throw new Error(`wrangler could not say who is signed in: ${(stderr || stdout).trim()}`);
  const { loggedIn, accounts } = answer.data;
  if (!loggedIn) return { name, state: "missing", words: "sign in: npx wrangler login, or set CLOUDFLARE_API_TOKEN" };
  const id = account_id ?? process.env.CLOUDFLARE_ACCOUNT_ID;
  const account = id === undefined ? accounts[0] : accounts.find((one) => one.id === id);
  if (accounts.length > 1 && id === undefined) {
    const list = accounts.map((one) => `${one.id} (${one.name})`).join(", ");
    return { name, state: "missing", words: `set CLOUDFLARE_ACCOUNT_ID to one of ${list}` };
  }
  if (account === undefined)
    return { name, state: "missing", words: `the signed-in user has no access to account ${id}` };
  return { name, state: "there", words: account.name };
}

function originsNeed({ vars }: EdgeConfig, environment: string): Prerequisite {
  const name = "SERVICE_ORIGINS";
  const origins = String(vars[name] ?? "")
    .split(",")
    .flatMap((origin) => origin.trim() || []);
  const line = `${name} = "https://…" under [env.${environment}.vars] in wrangler.toml`;
  if (origins.length === 0) return { name, state: "missing", words: `say where the services listen: ${line}` };
  const wrong = origins.find((origin) => !isPublicOrigin(origin));
  if (wrong === undefined) return { name, state: "there", words: origins.join(", ") };
  const words = `expected the https origin of a service that Cloudflare can reach, received ${wrong}: ${line}`;
  return { name, state: "missing", words };
}

function isPublicOrigin(text: string): boolean {
  const url = parseOrigin(text);
  return url?.protocol === "https:" && !/^(localhost|127\.|\[::1\])/.test(url.hostname);
}

function namespacesNeed({ kv_namespaces }: EdgeConfig): Prerequisite {
  const name = "KV";
  const unnamed = kv_namespaces.filter(({ id }) => id === undefined).map(({ binding }) => binding);
  if (unnamed.length === 0) return { name, state: "there", words: "wrangler.toml names the namespaces" };
  const words = `${unnamed.join(" and ")}, without an id in wrangler.toml: the first deployment creates them, later ones keep them`;
  return { name, state: "made", words };
}

function secretNeed(secretFile: string | undefined, isThere: boolean | undefined): Prerequisite {
  const name = "SERVICE_SECRET";
  if (secretFile !== undefined) {
    return { name, state: "made", words: `${isThere ? "replaced" : "set"} from ${secretFile}` };
  }
  if (isThere) return { name, state: "there", words: "set; --secret-file replaces it" };
  const unless = isThere === undefined ? "unless Cloudflare has it already: " : "";
  const words =
    "create one (openssl rand -hex 32 > service-secret), give it to the services, and pass it with --secret-file";
  return { name, state: "missing", words: unless + words };
}

function workerNeed({ name }: EdgeConfig, isDeployed: boolean): Prerequisite {
  return {
    name: "worker",
    state: "made",
    words: `${name}, ${isDeployed ? "replaces the running one" : "for the first time"}`,
  };
}

/** Who may call a deployment, how often, and what that costs at most. */
function describeCallers(config: EdgeConfig): Prerequisite[] {
  const access = String(config.vars.ACCESS ?? "public");
  const keys: Prerequisite = { name: "keys", state: "there", words: `${describeKeys(config)}; ACCESS is ${access}` };
  if (access === "keys") return [keys];
  const each = describeLimit(config, "PUBLIC_LIMIT");
  const anybody: Prerequisite = {
    name: "public",
    state: "noted",
    words: `anyone may call, ${each ?? "without limit"} from one address; ACCESS = "keys" requires keys`,
  };
  return [...(access === "both" ? [keys] : []), anybody, overallNeed(config)];
}

function describeKeys(config: EdgeConfig): string {
  const limits = ["STANDARD_LIMIT", "HIGH_LIMIT"].map((name) => describeLimit(config, name) ?? "without limit");
  return `each may call ${limits.join(", or ")}, by its tier`;
}

/** The limit of all addresses together; what it lets through in a month if every request were a new photo. */
function overallNeed(config: EdgeConfig): Prerequisite {
  const name = "public, together";
  const overall = limitOf(config, "OVERALL_LIMIT");
  if (overall === undefined) {
    const words =
      "without limit: bind OVERALL_LIMIT in wrangler.toml, or anyone with many addresses can spend your money";
    return { name, state: "noted", words };
  }
  const requestsPerSecond = overall.limit / overall.period;
  const month = monthAtEdge({ requestsPerSecond, hitRate: 0, cpuMs, flightMs, ttlDays });
  const dollars = Math.ceil(monthlyPrice(month).total);
  const photos = `${Number(requestsPerSecond.toFixed(1))} photos a second for the services and ${dollars} dollars a month at Cloudflare`;
  const words = `${overall.limit} in ${overall.period} s from all addresses, in each data centre: at most ${photos}`;
  return { name, state: "noted", words };
}

function describeLimit(config: EdgeConfig, name: string): string | undefined {
  const limit = limitOf(config, name);
  return limit && `${limit.limit} times in ${limit.period} s`;
}

function limitOf({ ratelimits }: EdgeConfig, name: string): { limit: number; period: number } | undefined {
  return ratelimits.find((limit) => limit.name === name)?.simple;
}

/** The secret that a file holds. What is wrong with it is said without a character of it. */
export async function readSecret(path: string): Promise<string> {
  const secret = (await readFile(path, "utf8")).trim();
  if (/[\s,"'\\#]/.test(secret)) throw new Error(`${path}: expected one secret, without spaces, commas and quotes`);
  if (secret.length < minSecretLength) {
    throw new Error(`${path}: expected a secret of at least ${minSecretLength} characters, received ${secret.length}`);
  }
  return secret;
}
