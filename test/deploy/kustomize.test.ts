import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { isProgramThere } from "../fixtures/programs.ts";
import { deployFolder, readDeployed } from "./manifests.ts";

/** The parts of an image's name: registry and path, name, tag. */
const imagePattern = /^(?:(.+)\/)?([a-z-]+)(?::([a-z]+))?$/;

const composed = ["compose.yaml", "compose.gpu.yaml"].flatMap((path) => imagesIn(parse(readDeployed(path))));

test("every host runs the images that compose builds", () => {
  expect(composed).toEqual(["edge-caption:cpu", "edge-caption-tools", "edge-caption:gpu"]);
  const [cloudRun = ""] = imagesIn(parse(readDeployed("cloud-run.yaml")));
  expect(composed).toContain(withoutPlace(cloudRun));
});

describe.skipIf(!isProgramThere("kubectl"))("kubectl kustomize (needs kubectl)", () => {
  test.each(["cpu", "gpu"])("makes the service's four objects on the %s", (kind) => {
    const objects = build(kind);
    const [image = "", ...others] = objects.flatMap(imagesIn);

    expect(objects.map((object) => object.kind).toSorted()).toEqual([
      "Deployment",
      "PodDisruptionBudget",
      "ScaledObject",
      "Service",
    ]);
    expect(others).toEqual([]);
    expect(withoutPlace(image)).toBe(`edge-caption:${kind}`);
    expect(JSON.stringify(objects).includes("nvidia.com/gpu")).toBe(kind === "gpu");
  });

  test("makes the three jobs, each to be picked by its step", () => {
    const jobs = build("features");

    expect(jobs.map(({ metadata }) => metadata.labels.step).toSorted()).toEqual(["features", "join", "prepare"]);
    for (const image of jobs.flatMap(imagesIn)) expect(withoutPlace(image)).toBe("edge-caption-tools:latest");
  });
});

function build(kind: string) {
  const text = execFileSync("kubectl", ["kustomize", join(deployFolder, "kubernetes", kind)], { encoding: "utf8" });
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** Collects all values of `image` at any depth. */
function imagesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "image" ? [String(inner)] : imagesIn(inner)));
}

function withoutPlace(image: string): string {
  const [, , name, tag] = imagePattern.exec(image) ?? [];
  return `${name}:${tag}`;
}
