import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { Service as CloudRunService } from "@kubernetes-models/knative/serving.knative.dev/v1/Service";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Job } from "kubernetes-models/batch/v1/Job";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../../scripts/repository.ts";
import { manifestPaths, readDeployed } from "./manifests.ts";

const run = promisify(execFile);
const paths = [...manifestPaths("kubernetes"), "cloud-run.yaml"];

/** By `apiVersion kind`: the published schema, and the published type, which alone refuses a field that it does not know. */
const models = {
  "apps/v1 Deployment": { schema: Deployment, type: "kubernetes-models/apps/v1/Deployment" },
  "v1 Service": { schema: Service, type: "kubernetes-models/v1/Service" },
  "policy/v1 PodDisruptionBudget": {
    schema: PodDisruptionBudget,
    type: "kubernetes-models/policy/v1/PodDisruptionBudget",
  },
  "batch/v1 Job": { schema: Job, type: "kubernetes-models/batch/v1/Job" },
  "keda.sh/v1alpha1 ScaledObject": {
    schema: ScaledObject,
    type: "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject",
  },
  "serving.knative.dev/v1 Service": {
    schema: CloudRunService,
    type: "@kubernetes-models/knative/serving.knative.dev/v1/Service",
  },
};

function modelOf(document: { apiVersion: string; kind: string }) {
  const name = `${document.apiVersion} ${document.kind}`;
  const model = Object.entries(models).find(([known]) => known === name)?.[1];
  if (model === undefined) throw new Error(`expected one of ${Object.keys(models).join(", ")}, received ${name}`);
  return model;
}

test.each(paths)("%s is as its published schema has it", (path) => {
  const document = parse(readDeployed(path));
  const { schema } = modelOf(document);

  expect(() => new schema(document).validate()).not.toThrow();
});

test("a schema refuses a value of the wrong type", () => {
  const document = parse(readDeployed("kubernetes/base/deployment.yaml"));
  document.spec.template.spec.containers[0].ports[0].containerPort = "8788";

  expect(() => new Deployment(document).validate()).toThrow("containerPort");
});

test("no manifest has a field that its published type does not know", async () => {
  const misspelt = parse(readDeployed("kubernetes/base/deployment.yaml"));
  misspelt.spec.template.spec.containers[0].readynessProbe = {};
  const complaints = await typeCheck([...paths.map(readForTypes), misspelt]);

  expect(complaints).toHaveLength(1); // the misspelt one's
  expect(complaints[0]).toContain(`'"readynessProbe"' does not exist`);
});

/** Cloud Run has start-up probes, which this type of Knative's does not know yet; they are of the kind of its readiness probes. */
function readForTypes(path: string) {
  const document = parse(readDeployed(path));
  if (document.apiVersion !== "serving.knative.dev/v1") return document;
  const [container] = document.spec.template.spec.containers;
  const { startupProbe: readinessProbe, ...rest } = container;
  document.spec.template.spec.containers = [{ ...rest, readinessProbe }];
  return document;
}

/** Writes documents as literals of their types; the compiler then looks into every depth of them. */
async function typeCheck(documents: { apiVersion: string; kind: string }[]): Promise<string[]> {
  const folder = await mkdtemp(join(repository, "node_modules/.manifests-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const literals = documents.map((document, index) => {
    const { type } = modelOf(document);
    const text = JSON.stringify(document, null, 1);
    return `import type { I${document.kind} as T${index} } from "${type}";\nexport const m${index}: T${index} = ${text};`;
  });
  await writeFile(join(folder, "manifests.ts"), literals.join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--ignoreConfig", "--types", "node"];
  const modules = ["--module", "esnext", "--moduleResolution", "bundler"];
  const compiler = join(repository, "node_modules/.bin/tsc");
  try {
    await run(compiler, [...options, ...modules, join(folder, "manifests.ts")]);
    return [];
  } catch (error) {
    const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    return output.split("\n").filter((line) => line.includes("error TS"));
  }
}
