import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { readDeployed } from "./manifests.ts";

test("the secrets that the page has people make are those that the manifests read", () => {
  const text = readFileSync(join(repository, "docs/deploy.md"), "utf8");
  const [, name, key] =
    /name: (edge-caption)\n\s+key: (\w+)/.exec(readDeployed("kubernetes/base/deployment.yaml")) ?? [];
  const [, inCloudRun] = /secretKeyRef:\n\s+name: (\S+)/.exec(readDeployed("cloud-run.yaml")) ?? [];

  expect(text).toContain(`kubectl create secret generic ${name} --from-file=${key}=service-secret\``);
  expect(text).toContain(`gcloud secrets create ${inCloudRun} --data-file=service-secret\n`);
});
