import { execFile } from "node:child_process";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { CaptionClient } from "../../shared/client.ts";
import { findProgram, isProgramThere } from "../fixtures/programs.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { startTinyDeployment } from "../support/deployment.ts";

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const tools = ["openapi-python-client", "schemathesis"];

describe.skipIf(!tools.every(isProgramThere))(
  `what is made of the OpenAPI document (needs ${tools.join(" and ")})`,
  { timeout: 240_000 },
  () => {
    let deployment: Deployment;
    let folder: string;

    beforeAll(async () => {
      deployment = await startTinyDeployment();
      folder = await mkdtemp(join(tmpdir(), "generated-client-"));
    });
    afterAll(async () => {
      await deployment.stop();
      await rm(folder, { recursive: true });
    });

    test("a Python client captions a photo, as the raw body and in a form", async () => {
      const address = `${deployment.edge}/openapi.json`;
      const output = ["--meta", "none", "--output-path", join(folder, "generated_client")];
      await run("openapi-python-client", ["generate", "--url", address, ...output], { cwd: folder });
      const python = join(dirname(await realpath(findProgram("openapi-python-client") ?? "")), "python");
      const args = [fixture("caption_with_client.py"), deployment.edge, photoPath("chelsea")];
      const { stdout } = await run(python, args, { cwd: folder, env: { ...process.env, PYTHONPATH: folder } });
      const { result } = await new CaptionClient({ origin: deployment.edge }).caption(
        new Blob([await readFile(photoPath("chelsea"))]),
        { beam: 3, candidates: 2 },
      );
      expect(stdout).toBe(`${result.caption}\n`.repeat(2));
    });

    test("Schemathesis finds no request whose answer is not as documented", async () => {
      const args = ["--config-file", fixture("schemathesis.toml"), "run", `${deployment.edge}/openapi.json`];
      const { stdout } = await run("schemathesis", [...args, "--seed", "1", "--max-examples", "25"], { cwd: folder });
      expect(stdout).toMatch(/\d+ generated, \d+ passed/);
    });
  },
);
