import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { repository } from "../../scripts/repository.ts";

export const deployFolder = join(repository, "deploy");

const probeSchema = z.object({ httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }) });

/** What the tests look at in a container of Kubernetes or Cloud Run. */
const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
  startupProbe: probeSchema.optional(),
  readinessProbe: probeSchema.optional(),
  livenessProbe: probeSchema.optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
});

type Container = z.infer<typeof containerSchema>;

/** Of a pod template, whatever it is part of. */
export const podSchema = z.object({
  terminationGracePeriodSeconds: z.number().optional(),
  containers: z.array(containerSchema).length(1),
});

export function environmentOf({ env }: Container): Record<string, string> {
  return Object.fromEntries(env.map(({ name, value }) => [name, value ?? "a secret that is long enough"]));
}

/** The manifests below a folder of `deploy/kubernetes`, its kustomizations left out; by path. */
export function manifestPaths(folder: string): string[] {
  return readdirSync(join(deployFolder, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("kustomization.yaml"))
    .map((name) => join(folder, name))
    .toSorted();
}

export function readDeployed(path: string): string {
  return readFileSync(join(deployFolder, path), "utf8");
}
