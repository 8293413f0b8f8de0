import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createCaptioner } from "../../cli/create-captioner.ts";
import { repository } from "../../scripts/repository.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { textFile } from "../fixtures/made-images.ts";
import { photoPath, pizzaCaption, pizzaPath } from "../fixtures/real-photos.ts";

describe("a captioner in code", () => {
  test("captions a file and bytes alike, by the HTTP contract", async () => {
    const captioner = await createCaptioner({ modelDir: tinyBundle, beam: 4, candidates: 2 });
    const result = captionResultSchema.parse(await captioner.caption(photoPath("coffee")));
    expect(result).toEqual(await captioner.caption(await readFile(photoPath("coffee"))));
    expect(result).toMatchObject({
      options: { beam: 4, candidates: 2 },
      model: { revision: captioner.model.revision },
    });
    await expect(captioner.caption(textFile())).rejects.toMatchObject({ code: "unsupported_media_type" });
    await captioner.close();
  });

  test("captions many in their order, and continues after one that fails", async () => {
    const captioner = await createCaptioner({ modelDir: tinyBundle });
    const photos = async function* () {
      for (let index = 0; index < 40; index++)
        yield index === 7 ? "/none.jpg" : photoPath(index % 2 ? "coffee" : "rocket");
    };
    const outcomes: unknown[] = [];
    for await (const outcome of captioner.captionMany(photos())) {
      outcomes.push("error" in outcome ? outcome.photo : outcome.result.image.width);
    }
    await captioner.close();
    const widths = [outcomes[0], outcomes[1]];
    expect(outcomes).toEqual(Array.from({ length: 40 }, (_, index) => (index === 7 ? "/none.jpg" : widths[index % 2])));
  });

  test("refuses search options that the contract does not know", async () => {
    await expect(createCaptioner({ beam: 2, candidates: 3 })).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("is what importing the package returns, and lets the program end once it is closed", async () => {
    const program = `
      import { createCaptioner } from "edge-caption";
      const captioner = await createCaptioner();
      console.log((await captioner.caption(${JSON.stringify(pizzaPath)})).caption);
      await captioner.close();`;
    const args = ["--import", "tsx", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository });
    expect(stdout).toBe(`${pizzaCaption}\n`);
  });
});
