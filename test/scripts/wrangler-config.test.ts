import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";

const environments = ["", "staging", "production"];
/** What `edge/settings.ts` says of the limits unless it is told otherwise. */
const defaultPolicies: Record<string, string> = { PUBLIC: "60/60", STANDARD: "600/60", HIGH: "6000/60" };

interface RateLimitBinding {
  name: string;
  namespace_id: string;
  simple: { limit: number; period: number };
}

const configOf = (env: string) => unstable_readConfig({ config: "wrangler.toml", env });

test.each(environments)("what callers are told of rate limits is what the bindings count to: environment %j", (env) => {
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

test("every environment has the same bindings, and counts by itself", () => {
  const names = environments.map((env) => {
    const { kv_namespaces, durable_objects, ratelimits, analytics_engine_datasets } = configOf(env);
    const bindings = [...kv_namespaces, ...analytics_engine_datasets].map(({ binding }) => binding);
    return [...bindings, ...[...durable_objects.bindings, ...ratelimits].map(({ name }) => name)];
  });
  expect(names[1]).toEqual(names[0]);
  expect(names[2]).toEqual(names[0]);
  const counters = environments.flatMap((env) =>
    configOf(env).ratelimits.map(({ namespace_id }: RateLimitBinding) => namespace_id),
  );
  expect(new Set(counters).size).toBe(counters.length);
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
