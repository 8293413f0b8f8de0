import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { visibleGpus } from "../../../captioner/engines/engine-pool.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

/** An environment whose only program is an `nvidia-smi` that runs these lines of shell. */
async function withNvidiaSmi(script: string): Promise<NodeJS.ProcessEnv> {
  const folder = await temporaryFolder();
  const path = join(folder, "nvidia-smi");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { PATH: folder };
}

const uuids = ["GPU-5f8d2ab1", "GPU-0c6e9d77"];

test("asks the driver which GPUs there are", async () => {
  const expectsQuery = '[ "$*" = "--query-gpu=uuid --format=csv,noheader" ] || exit 2';
  const environment = await withNvidiaSmi(`${expectsQuery}\necho ${uuids[0]}\necho ${uuids[1]}`);
  expect(await visibleGpus(environment)).toEqual(uuids);
});

test("keeps to those that are shown to it", async () => {
  const environment = await withNvidiaSmi(`echo ${uuids[0]}`);
  expect(await visibleGpus({ ...environment, CUDA_VISIBLE_DEVICES: "2, 3" })).toEqual(["2", "3"]);
  expect(await visibleGpus({ ...environment, CUDA_VISIBLE_DEVICES: "" })).toEqual([]);
});

test.each([
  ["fails", () => withNvidiaSmi("exit 9")],
  ["is not there", async () => ({ PATH: await temporaryFolder() })],
])("finds none where the driver's tool %s", async (_, environment) => {
  expect(await visibleGpus(await environment())).toEqual([]);
});
