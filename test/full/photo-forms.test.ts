import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

async function compareForms(...flags: string[]): Promise<{ cosine: number; alike: number }> {
  const folders = [`${researchData}photos`, `${researchData}flickr8k/images`];
  const command = ["--import", "tsx", "scripts/compare-forms.ts", ...flags, ...folders];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: repository });
  const [, photos, cosine, alike] = /^(\d+) photos: .*taken off, ([\d.]+),.* (\d+) captions alike/.exec(stdout) ?? [];
  expect(photos).toBe("40");
  return { cosine: Number(cosine), alike: Number(alike) };
}

test.skipIf(!isResearchDataThere)(
  "sees a full-size photo as the encoder saw its 224-pixel form in training (needs ../shared)",
  { timeout: 300_000 },
  async () => {
    const shipped = await compareForms();
    expect(shipped.cosine).toBeGreaterThan(0.97);
    const direct = await compareForms("--direct"); // what it would be without the manifest's `through`
    expect(direct.cosine).toBeLessThan(0.85);
    expect(shipped.alike).toBeGreaterThan(direct.alike);
  },
);
