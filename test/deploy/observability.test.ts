import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { Lifecycle } from "../../gpu-service/http/lifecycle.ts";
import { Metrics } from "../../gpu-service/metrics.ts";
import { describeSettings } from "../../gpu-service/settings.ts";
import { errorCodes } from "../../shared/errors.ts";
import { isProgramThere } from "../fixtures/programs.ts";
import { deployFolder, readDeployed } from "./manifests.ts";

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(["critical", "warning"]) }),
          annotations: z.object({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});
const dashboardSchema = z.object({
  panels: z.array(
    z.object({ title: z.string(), description: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) }),
  ),
});

const alerts = readDeployed("prometheus/alerts.yaml");
const rules = rulesSchema.parse(parse(alerts)).groups.flatMap((group) => group.rules);
const { panels } = dashboardSchema.parse(JSON.parse(readDeployed("grafana/dashboard.json")));
const queries = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

test("each alert says in a comment why its threshold is what it is", () => {
  const commented = [...alerts.matchAll(/- alert: (\w+)\n +# .{40}/g)].map(([, name]) => name);
  expect(commented).toEqual(rules.map(({ alert }) => alert));
});

test.each(queries)("%s asks for metrics, labels and values that the service has", async (_, expr) => {
  const idle = new Lifecycle({ maxRequests: 1, maxBytes: 1, bulkShare: 1 });
  const told = await new Metrics(idle).text();
  const names = expr.match(/\b(edge_caption|process)_\w+/g) ?? [];
  expect(names).not.toEqual([]);
  for (const name of names) expect(told).toContain(`# TYPE ${name.replace(/_(bucket|sum|count)$/, "")} `);
  const matched = [...expr.matchAll(/(\w+)(?:=|!=)"([^"]*)"/g)].map(([, label, value]) => ({ label, value }));
  const values: Record<string, readonly string[]> = {
    outcome: ["ok", "client_gone", ...errorCodes],
    priority: ["interactive", "bulk"],
    phase: ["decode", "queue", "encode", "search", "total"],
  };
  for (const { label = "", value } of matched) expect(values[label]).toContain(value);
});

test.skipIf(!isProgramThere("promtool"))("promtool finds nothing wrong with the alerts (needs promtool)", () => {
  const said = execFileSync("promtool", ["check", "rules", join(deployFolder, "prometheus/alerts.yaml")], {
    encoding: "utf8",
  });
  expect(said).toContain(`${rules.length} rules found`);
});

const unit = readDeployed("systemd/edge-caption.service");

test("the systemd unit leaves the service its time to drain, and sets settings that there are", () => {
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(27);
  expect(describeSettings()).toMatch(/DRAIN_SECONDS .+ Default 27\./);
  expect(describeSettings()).toContain("SERVICE_SECRETS_FILE");
});

test.skipIf(!isProgramThere("systemd-analyze"))("systemd knows all of the unit (needs systemd-analyze)", () => {
  const path = join(deployFolder, "systemd/edge-caption.service");
  expect(execFileSync("systemd-analyze", ["verify", path], { encoding: "utf8", stdio: "pipe" })).toBe("");
});
