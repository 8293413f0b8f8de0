import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { runNode } from "../support/run-node.ts";

test.skipIf(chromiumPath === undefined)(
  "screenshots writes every picture of docs/images anew, small enough for a page (needs Chromium)",
  {
    timeout: 600_000,
  },
  async () => {
    const out = await temporaryFolder();
    const { code, stderr } = await runNode(["--import", "tsx", "scripts/tool.ts", "screenshots", "--out", out]);
    expect(code, stderr).toBe(0);
    const names = (await readdir(out)).sort();
    expect(names).toEqual((await readdir(join(repository, "docs/images"))).sort());
    for (const name of names) {
      expect((await stat(join(out, name))).size, name).toBeLessThanOrEqual(150_000);
      const { channels, entropy } = await sharp(join(out, name)).stats();
      expect(entropy, name).toBeGreaterThan(1); // of an empty page it is 0
      const isDark = (channels[0]?.mean ?? 0) < 128;
      expect(isDark, name).toBe(name.endsWith("-dark.png"));
    }
  },
);
