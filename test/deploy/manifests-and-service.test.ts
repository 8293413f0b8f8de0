import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { createApp } from "../../gpu-service/http/app.ts";
import { Lifecycle } from "../../gpu-service/http/lifecycle.ts";
import { createLog } from "../../gpu-service/log.ts";
import { Metrics } from "../../gpu-service/metrics.ts";
import { describeSettings, readSettings } from "../../gpu-service/settings.ts";
import { errorFacts } from "../../shared/errors.ts";
import { environmentOf, podSchema, readDeployed } from "./manifests.ts";

/** Of Cloud Run, whatever an instance is doing. */
const cloudRunGraceSeconds = 10;
/** What ending the engines and the process takes beside the draining. */
const endingSeconds = 3;

const settingNames =
  describeSettings()
    .match(/^ {2}[A-Z_]+/gm)
    ?.map((name) => name.trim()) ?? [];
const specSchema = z.object({ spec: z.object({ template: z.object({ spec: podSchema }) }) });
const cloudRunSchema = z.object({ containerConcurrency: z.number(), timeoutSeconds: z.number() });

const kubernetes = readPod("kubernetes/base/deployment.yaml");
const cloudRun = readPod("cloud-run.yaml");
const pods = [
  { host: "Kubernetes", ...kubernetes },
  { host: "Cloud Run", ...cloudRun },
];

function readPod(path: string) {
  const { spec } = specSchema.parse(parse(readDeployed(path))).spec.template;
  const [container] = spec.containers;
  if (container === undefined) throw new Error(`${path}: no container`);
  return { spec, container, settings: readSettings(environmentOf(container)) };
}

test.each(pods)("$host sets what the service reads, and lets its port be found", ({ container, settings }) => {
  expect(settingNames).toEqual(expect.arrayContaining(Object.keys(environmentOf(container))));
  expect(container.ports[0]).toMatchObject({ containerPort: settings.port });
});

test.each(pods)("$host keeps the metrics apart from what is shown to everybody", ({ settings }) => {
  expect(settings.metricsPort).toBe(8789);
});

test("Kubernetes lets Prometheus find the metrics' port, and its service leads nowhere but to the other", () => {
  const { metadata } = parse(readDeployed("kubernetes/base/deployment.yaml")).spec.template;
  const { ports } = parse(readDeployed("kubernetes/base/service.yaml")).spec;

  expect(kubernetes.container.ports).toMatchObject([{ name: "http" }, { name: "metrics", containerPort: 8789 }]);
  expect(metadata.annotations).toMatchObject({ "prometheus.io/port": "8789", "prometheus.io/path": "/metrics" });
  expect(ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);
});

test.each(pods)("$host probes routes that there are, by a port that there is", async ({ container }) => {
  const { ports, startupProbe, readinessProbe, livenessProbe } = container;
  const app = serviceThatStarts();
  const places = ports.flatMap(({ name, containerPort }) => [name, containerPort]);

  for (const probe of [startupProbe, readinessProbe]) {
    if (probe === undefined) continue;
    expect(places).toContain(probe.httpGet.port);
    expect((await app.request(probe.httpGet.path)).status).toBe(503); // until the engine is warm
  }
  expect(places).toContain(livenessProbe?.httpGet.port);
  expect((await app.request(livenessProbe?.httpGet.path ?? "")).status).toBe(200); // also while it starts
  expect(startupProbe).toBeDefined();
});

test("Kubernetes waits for the draining, and for what stands before and behind it", () => {
  const { terminationGracePeriodSeconds = 30 } = kubernetes.spec;
  const { seconds = 0 } = kubernetes.container.lifecycle?.preStop.sleep ?? {};

  expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
    seconds + kubernetes.settings.drainSeconds + endingSeconds,
  );
  expect(kubernetes.settings.drainSeconds * 1000).toBeGreaterThan(kubernetes.settings.maxDeadlineMs);
});

test("on Cloud Run the draining ends before the instance does, and requests get their time and find room", () => {
  const { containerConcurrency, timeoutSeconds } = cloudRunSchema.parse(
    parse(readDeployed("cloud-run.yaml")).spec.template.spec,
  );
  const { drainSeconds, maxDeadlineMs, maxQueued } = cloudRun.settings;

  expect(drainSeconds + endingSeconds).toBeLessThanOrEqual(cloudRunGraceSeconds);
  expect(timeoutSeconds * 1000).toBeGreaterThan(maxDeadlineMs);
  expect(containerConcurrency).toBeLessThanOrEqual(maxQueued);
});

test("scaling asks for metrics that the service has, and for outcomes that there are", async () => {
  const { spec } = z
    .object({ spec: z.object({ triggers: z.array(z.object({ metadata: z.object({ query: z.string() }) })) }) })
    .parse(parse(readDeployed("kubernetes/base/scaled-object.yaml")));
  const queries = spec.triggers.map(({ metadata }) => metadata.query);
  const told = await new Metrics(idleLifecycle()).text();

  const names = queries.flatMap((query) => query.match(/edge_caption_\w+/g) ?? []);
  expect(names).toEqual(["edge_caption_requests_total", "edge_caption_queued_photos"]);
  for (const name of names) expect(told).toContain(`# TYPE ${name} `);
  const outcomes = queries.flatMap((query) => /outcome=~"([^"]*)"/.exec(query)?.[1]?.split("|") ?? []);
  expect(["ok", ...Object.keys(errorFacts)]).toEqual(expect.arrayContaining(outcomes));
  expect(outcomes).toContain("overloaded");
});

function serviceThatStarts() {
  const lifecycle = idleLifecycle();
  const log = createLog("silent");
  const { settings } = kubernetes;
  return createApp({ settings, secrets: () => settings.secrets, lifecycle, metrics: new Metrics(lifecycle), log });
}

function idleLifecycle(): Lifecycle {
  return new Lifecycle({ maxRequests: 1, maxBytes: 1, bulkShare: 1 });
}
