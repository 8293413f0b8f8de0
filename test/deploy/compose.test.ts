import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@cfworker/json-schema";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { describeSettings, readSettings } from "../../gpu-service/settings.ts";
import { repository } from "../../scripts/repository.ts";
import { readDeployed } from "./manifests.ts";

const published = new Validator(
  JSON.parse(readFileSync(join(repository, "test/fixtures/compose-spec/compose-spec.json"), "utf8")),
  "2020-12",
);

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }),
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  stop_grace_period: z.string().optional(),
  mem_limit: z.string(),
  command: z.array(z.string()).optional(),
  restart: z.string(),
});
const composeSchema = z.object({ services: z.object({ service: serviceSchema, edge: serviceSchema }) });

const { service, edge } = composeSchema.parse(parse(readDeployed("compose.yaml"))).services;
const settings = readSettings({ ...service.environment, SERVICE_SECRETS: "a secret that is long enough" });

describe.each(["compose.yaml", "compose.gpu.yaml"])("%s", (path) => {
  test("is as the Compose Specification has it", () => {
    expect(published.validate(parse(readDeployed(path))).errors).toEqual([]);
  });

  test("is refused with a field that the specification does not know", () => {
    const document = parse(readDeployed(path));
    document.services.service.enviroment = {};

    expect(published.validate(document).valid).toBe(false);
  });
});

test("the service is told what it reads, and has its ports shown to this machine alone, the metrics' apart", () => {
  for (const name of Object.keys(service.environment)) expect(describeSettings()).toContain(`  ${name} `);
  expect(service.ports).toEqual(["127.0.0.1:8788:8788", "127.0.0.1:8789:8789", "127.0.0.1:8787:8787"]);
  expect([settings.port, settings.metricsPort]).toEqual([8788, 8789]);
});

test("the edge is told what it reads, and finds the service in the network that they share", () => {
  const [, origins] = edge.command?.join(" ").match(/--var=SERVICE_ORIGINS:(\S+)/) ?? [];
  expect(origins).toBe(`http://localhost:${settings.port}`);
  expect(edge.network_mode).toBe("service:service");
  const read = readFileSync(join(repository, "edge/settings.ts"), "utf8");
  for (const name of ["SERVICE_ORIGINS", "SERVICE_SECRET"]) expect(read).toContain(`\n  ${name}: `);
  expect(Object.keys(edge.environment)).toContain("SERVICE_SECRET");
});

test("the edge is a program that there is, and is brought up again when it ends", () => {
  expect(edge.command?.slice(0, 2)).toEqual(["node", "--import=tsx"]);
  expect(existsSync(join(repository, edge.command?.[2] ?? ""))).toBe(true);
  expect(edge.restart).toBe("unless-stopped");
});

test("the edge fetches no addresses unless it is asked to", () => {
  expect(edge.command?.join(" ")).toMatch(/--var=SOURCE_HOSTS:\$\{SOURCE_HOSTS:-none\}/);
});

test.each(["compose.yaml", "compose.gpu.yaml"])("every service has a limit of memory: %s", (path) => {
  const { services } = z
    .object({ services: z.record(z.string(), z.object({ mem_limit: z.string() })) })
    .parse(parse(readDeployed(path)));
  for (const { mem_limit } of Object.values(services)) expect(mem_limit).toMatch(/^\$\{(SERVICE|EDGE)_MEMORY:-\dg\}$/);
});

test("Docker waits for the draining to end", () => {
  expect(Number.parseInt(service.stop_grace_period ?? "10s", 10)).toBeGreaterThan(settings.drainSeconds);
});

test.each([service, edge])("$image is built of a file that there is", ({ build }) => {
  expect(existsSync(join(repository, "deploy", build.context, build.dockerfile))).toBe(true);
});
