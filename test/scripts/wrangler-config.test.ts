import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";

const deployed = ["staging", "production"];
/** What `edge/settings.ts` says of the limits unless it is told otherwise. */
const defaultPolicies: Record<string, string> = {
  PUBLIC: "60/60",
  STANDARD: "600/60",
  HIGH: "6000/60",
  OVERALL: "600/60",
};

interface RateLimitBinding {
  name: string;
  namespace_id: string;
  simple: { limit: number; period: number };
}

const configOf = (env: string) => unstable_readConfig({ config: "wrangler.toml", env });

test.each(deployed)("what callers are told of rate limits is what the bindings count to: %s", (env) => {
  const { ratelimits, vars } = configOf(env);
  const counted = ratelimits.map(({ name, simple }: RateLimitBinding) => [
    `${name}_POLICY`,
    `${simple.limit}/${simple.period}`,
  ]);
  const told = Object.entries(defaultPolicies).map(([tier, policy]) => {
    const name = `${tier}_LIMIT_POLICY`;
    return [name, vars[name] ?? policy];
  });
  expect(counted).toEqual(told);
});

test("every environment has the same bindings; rate limits, counted apart, only those that are deployed", () => {
  const bindings = ["", ...deployed].map((env) => {
    const { kv_namespaces, durable_objects, analytics_engine_datasets } = configOf(env);
    const named = [...kv_namespaces, ...analytics_engine_datasets].map(({ binding }) => binding);
    return [...named, ...durable_objects.bindings.map(({ name }: { name: string }) => name)];
  });
  expect(bindings).toEqual(Array(3).fill(["CAPTIONS", "KEYS", "REQUESTS", "FLIGHTS", "TOMBSTONES"]));
  expect(configOf("").ratelimits).toEqual([]);
  const counters = deployed.flatMap((env) =>
    configOf(env).ratelimits.map(({ namespace_id }: RateLimitBinding) => namespace_id),
  );
  expect(new Set(counters).size).toBe(8);
});

test.each(["", ...deployed])("the worker sees what is posted to the page's files: %j", (env) => {
  expect(configOf(env).assets).toMatchObject({ binding: "ASSETS", run_worker_first: true });
});

test("the worker is small enough to start at once: at most 150 kB, zipped", async () => {
  const { outputFiles } = await build({
    entryPoints: ["edge/worker.ts"],
    bundle: true,
    format: "esm",
    external: ["cloudflare:workers"],
    conditions: ["workerd", "worker", "browser"],
    write: false,
  });
  expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThan(150_000);
});
