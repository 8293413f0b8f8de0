import { expect, test } from "vitest";
import { runtimeSystems, trimRuntime } from "../../../scripts/build/bundle-runtime.ts";

test.each(runtimeSystems)(
  "ONNX Runtime for %s is its library alone, and runs nothing when it is installed",
  async (system) => {
    const files = await trimRuntime(system);
    const libraries = files.filter(({ path }) => path.includes("/bin/"));
    const place = new RegExp(`^onnxruntime-node/bin/napi-v\\d+/${system.replace("-", "/")}/[^/]+$`);
    expect(libraries.length).toBeGreaterThan(1);
    for (const { path } of libraries) expect(path).toMatch(place);
    const manifests = files.filter(({ path }) => /^[^/]+\/package\.json$/.test(path));
    expect(manifests.map(({ path }) => path)).toEqual([
      "onnxruntime-node/package.json",
      "onnxruntime-common/package.json",
    ]);
    for (const { content } of manifests) expect(JSON.parse(String(content))).not.toHaveProperty("scripts");
    const [os, cpu] = system.split("-");
    expect(JSON.parse(String(manifests[0]?.content))).toMatchObject({
      ...{ os: [os], cpu: [cpu], main: "dist/index.js" },
      dependencies: { "onnxruntime-common": expect.any(String) },
    });
  },
);
