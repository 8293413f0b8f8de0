import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deployEdge } from "../../../scripts/deploy-edge/deploy.ts";
import { type EdgeConfig, readEdgeConfig } from "../../../scripts/deploy-edge/preflight.ts";
import { wranglerAt } from "../../../scripts/wrangler.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { type Cloudflare, fakeWrangler } from "./fake-wrangler.ts";

const secret = "0123456789abcdef0123456789abcdef";
const accounts = [{ id: "a1", name: "Example" }];
const origins = "https://captions-1.example.com, https://captions-2.example.com";
let said = "";

beforeEach(() => {
  said = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

interface Run {
  cloudflare: Cloudflare;
  vars?: Record<string, string>;
  ratelimits?: EdgeConfig["ratelimits"];
  /** Bindings that `wrangler.toml` would have. */
  jobs?: Partial<EdgeConfig>;
  /** Text of the file that `--secret-file` names. */
  secretText?: string;
  isForReal?: boolean;
}

async function run({
  cloudflare,
  vars = { SERVICE_ORIGINS: origins },
  ratelimits,
  jobs,
  secretText,
  isForReal = true,
}: Run) {
  const { program, deployments } = await fakeWrangler(cloudflare);
  const secretFile = secretText === undefined ? undefined : join(await temporaryFolder(), "service-secret");
  if (secretFile !== undefined) await writeFile(secretFile, secretText ?? "");
  const config: EdgeConfig = { ...readEdgeConfig("staging"), vars, ...(ratelimits && { ratelimits }), ...jobs };
  const isWell = await deployEdge({ environment: "staging", secretFile, isForReal }, wranglerAt(program), config);
  return { isWell, deployments: await deployments() };
}

describe("deploys with --yes", () => {
  test("the first time together with the secret, whose file is gone afterwards", async () => {
    const namespaces = [
      { id: "c1", title: "edge-caption-staging-captions" },
      { id: "k1", title: "edge-caption-staging-keys" },
    ];
    const { isWell, deployments } = await run({ cloudflare: { accounts, namespaces }, secretText: `${secret}\n` });

    expect(isWell).toBe(true);
    expect(deployments).toHaveLength(1);
    const [{ args, secrets } = { args: [], secrets: null }] = deployments;
    expect(args.slice(0, 3)).toEqual(["deploy", "--env", "staging"]);
    expect(secrets).toMatchObject({ text: JSON.stringify({ SERVICE_SECRET: secret }), mode: 0o600 });
    expect(existsSync(secrets?.path ?? "")).toBe(false);
    expect(args.join(" ")).not.toContain(secret);
    expect(said).not.toContain(secret);
    expect(said).toContain("--remote --env staging --namespace-id k1");
  });

  test("only with a secret's file that is there, which is looked at before anybody has signed in", async () => {
    const { program } = await fakeWrangler({});
    const secretFile = join(await temporaryFolder(), "nothing");
    const request = { environment: "staging", secretFile, isForReal: false } as const;
    await expect(deployEdge(request, wranglerAt(program))).rejects.toThrow(
      `ENOENT: no such file or directory, open '${secretFile}'`,
    );
  });

  test("from then on without one, which Cloudflare keeps", async () => {
    const { isWell, deployments } = await run({ cloudflare: { accounts, secrets: ["SERVICE_SECRET"] } });

    expect(isWell).toBe(true);
    expect(deployments).toEqual([{ args: ["deploy", "--env", "staging"], secrets: null }]);
  });

  test("and says so where wrangler could not, with no secret left behind", async () => {
    const { isWell, deployments } = await run({ cloudflare: { accounts, deployCode: 1 }, secretText: secret });

    expect(isWell).toBe(false);
    expect(existsSync(deployments[0]?.secrets?.path ?? "")).toBe(false);
    expect(said).not.toContain("npm run tool -- smoke");
  });
});

test("without --yes it deploys nothing, and tells what it would", async () => {
  const { isWell, deployments } = await run({ cloudflare: { accounts }, secretText: secret, isForReal: false });

  expect(isWell).toBe(true);
  expect(deployments).toEqual([]);
  expect(said).toContain("→ worker           edge-caption-staging, for the first time");
  expect(said).toContain("--yes does what the arrows say");
});

const ready: Cloudflare = { accounts, secrets: ["SERVICE_SECRET"] };

test.each<[string, Run, string]>([
  ["nobody is signed in", { cloudflare: {} }, "✗ account          sign in: npx wrangler login"],
  [
    "no account is chosen of two",
    { cloudflare: { ...ready, accounts: [...accounts, { id: "a2", name: "Other" }] } },
    "to one of a1 (Example), a2 (Other)",
  ],
  ["no service is named", { cloudflare: ready, vars: {} }, "under [env.staging.vars] in wrangler.toml"],
  [
    "a service is not reached by https",
    { cloudflare: ready, vars: { SERVICE_ORIGINS: "http://captions.example.com" } },
    "received http://captions.example.com",
  ],
  [
    "a service is on this machine",
    { cloudflare: ready, vars: { SERVICE_ORIGINS: "https://localhost:8788" } },
    "that Cloudflare can reach",
  ],
  [
    "a service's address has a path",
    { cloudflare: ready, vars: { SERVICE_ORIGINS: "https://captions.example.com/v1" } },
    "received https://captions.example.com/v1",
  ],
  [
    "Cloudflare has no secret, and none is given",
    { cloudflare: { accounts, secrets: [] } },
    "✗ SERVICE_SECRET   create one",
  ],
])("deploys nothing, and says what to do, where %s", async (_, request, words) => {
  const { isWell, deployments } = await run(request);

  expect(isWell).toBe(false);
  expect(deployments).toEqual([]);
  expect(said).toContain(words);
});

test("the account that CLOUDFLARE_ACCOUNT_ID names is taken of several", async () => {
  vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", "a2");
  const { isWell } = await run({ cloudflare: { ...ready, accounts: [...accounts, { id: "a2", name: "Other" }] } });

  expect(isWell).toBe(true);
  expect(said).toContain("✓ account          Other");
});

test.each([
  ["short", "expected a secret of at least 16 characters, received 5"],
  [`${secret}\n${secret}`, "expected one secret"],
  [`${secret},${secret}`, "expected one secret"],
])("refuses the secret %j without showing it", async (secretText, words) => {
  const failed = run({ cloudflare: { accounts }, secretText });

  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.not.toThrow(secret);
  expect(said).not.toContain(secret);
});

test("what wrangler cannot tell is an error with its words", async () => {
  await expect(run({ cloudflare: { failure: "no network" } })).rejects.toThrow("who is signed in: no network");
});

describe("says before --yes who may call, how often, and what that costs at most", () => {
  const look = (vars: Record<string, string>, ratelimits?: EdgeConfig["ratelimits"]) =>
    run({
      cloudflare: ready,
      vars: { SERVICE_ORIGINS: origins, ...vars },
      isForReal: false,
      ...(ratelimits && { ratelimits }),
    });

  test("anybody, with the limits of wrangler.toml", async () => {
    await look({});
    expect(said).toContain("! public           anyone may call, 60 times in 60 s from one address");
    expect(said).toMatch(
      /! public, together 600 in 60 s from all addresses, in each data centre: at most 10 photos a second for the services and \d{3} dollars a month/,
    );
    expect(said).not.toContain("by its tier");
  });

  test("anybody, without a limit for all together", async () => {
    await look({}, []);
    expect(said).toContain("! public           anyone may call, without limit from one address");
    expect(said).toContain("! public, together without limit: bind OVERALL_LIMIT");
  });

  test("whoever has a key", async () => {
    await look({ ACCESS: "keys" });
    expect(said).toContain("✓ keys             each may call 600 times in 60 s, or 6000 times in 60 s, by its tier");
    expect(said).not.toContain("anybody");
  });
});

describe("jobs", () => {
  const usual: Run = { cloudflare: ready };
  const jobs: Partial<EdgeConfig> = {
    d1_databases: [{ binding: "JOBS_DB", database_name: "jobs", database_id: "0a1b2c3d-0000-4000-8000-000000000000" }],
    queues: { producers: [{ binding: "JOBS_QUEUE", queue: "jobs" }], consumers: [{ queue: "jobs" }] },
    workflows: [{ binding: "JOBS_WORKFLOW" }],
    r2_buckets: [{ binding: "JOBS_BUCKET_PHOTOS", bucket_name: "photos" }],
    triggers: { crons: ["* * * * *"] },
  };
  const applied = ["d1", "migrations", "apply", "JOBS_DB", "--remote", "--env", "staging"];
  const argsOf = ({ deployments }: Awaited<ReturnType<typeof run>>) => deployments.map(({ args }) => args);

  test("are off unless wrangler.toml has their bindings, and then nothing is set up for them", async () => {
    expect(argsOf(await run(usual))).toEqual([["deploy", "--env", "staging"]]);
    expect(said).toContain("✓ jobs             off; docs/jobs.md says how to turn them on");
  });

  test("get their queue and their tables before the worker, and say what they cost", async () => {
    expect(argsOf(await run({ ...usual, jobs }))).toEqual([
      ["queues", "create", "jobs"],
      applied,
      ["deploy", "--env", "staging"],
    ]);
    expect(said).toContain("! jobs             keys with the scope jobs may read photos");
    expect(said).toContain("a million new photos cost 12 to 17 dollars");
  });

  test("keep the queue that is there, and nothing is deployed where the tables cannot be made", async () => {
    const { isWell, deployments } = await run({ cloudflare: { ...ready, queues: ["jobs"], setUpCode: 1 }, jobs });
    expect(isWell).toBe(false);
    expect(deployments.map(({ args }) => args)).toEqual([applied]);
  });

  test.each<[string, Partial<EdgeConfig>, string]>([
    ["a binding", { workflows: [] }, "uncomment JOBS_WORKFLOW in the sections [[env.staging.…]]"],
    [
      "the database's id",
      { d1_databases: [{ binding: "JOBS_DB", database_name: "jobs" }] },
      "npx wrangler d1 create jobs",
    ],
    [
      "the consumer",
      { queues: { producers: [{ binding: "JOBS_QUEUE", queue: "jobs" }], consumers: [] } },
      "uncomment the consumer of jobs",
    ],
    ["the cron trigger", { triggers: { crons: [] } }, "uncomment crons"],
  ])("are not deployed without %s", async (_, lack, words) => {
    const { isWell, deployments } = await run({ ...usual, jobs: { ...jobs, ...lack } });
    expect({ isWell, deployments }).toEqual({ isWell: false, deployments: [] });
    expect(said).toContain(`✗ jobs             ${words}`.slice(0, 18));
    expect(said).toContain(words);
  });
});
