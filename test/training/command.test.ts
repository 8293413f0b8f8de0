import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { trainCommand } from "../../training/command.ts";
import { stages } from "../../training/stages.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { runNode } from "../support/run-node.ts";
import { makeFlickr8k } from "./made-dataset.ts";
import { listen, tinyTraining, train } from "./run-prepare.ts";

describe("npm run train", () => {
  test("explains each flag, with its default, and each stage", async () => {
    const { code, stdout } = await train("--help");
    expect(code).toBe(0);
    const { options } = trainCommand({ stages, train: () => Promise.resolve() });
    expect(options.length).toBeGreaterThan(20);
    for (const { flags, description } of options) {
      expect(stdout).toContain(flags);
      expect(stdout.replace(/\s+/g, " ")).toContain(description.replace(/\s+/g, " "));
    }
    for (const { name, about } of stages) expect(stdout).toMatch(new RegExp(`${name} +${about.slice(0, 20)}`));
    expect(stdout).toMatch(/default:\s+"natural"/);
    expect(stdout).toMatch(/\(default: 10; 2 with --from and\s/);
    expect(stdout).toMatch(/prepare +reads captions/);
  });

  test("goes from captions and photos to a bundle that captions, and passes over all of it the second time", async () => {
    const out = await temporaryFolder();
    const args = ["--data", await makeFlickr8k(), "--out", out, "--min-count", "2", ...tinyTraining];
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toMatch(/epoch 2 of 2/);
    expect(code).toBe(0);
    expect(stdout).toMatch(/training photos +1\n/);
    expect(stdout).toMatch(/Total params: \d+/);
    expect(stdout).toMatch(
      /data-merge, revision [0-9a-f]{12}, in .*bundle\ndata dev, 1 photos, greedy: BLEU-1 \d+\.\d/,
    );
    const bundle = join(out, "bundle");
    const caption = [
      "--import",
      "tsx",
      "cli/main.ts",
      "caption",
      "--json",
      "--model-dir",
      bundle,
      photoPath("chelsea"),
    ];
    const captioned = await runNode(caption);
    expect(JSON.parse(captioned.stdout)).toMatchObject({ result: { model: { id: "data-merge" } } });
    expect(await train(...args)).toEqual({
      code: 0,
      stdout: "",
      stderr: ["prepare", "features", "evidence", "fit", "quantize", "export"]
        .map((stage) => `${stage}: up to date in ${join(out, stage === "export" ? "bundle" : stage)}\n`)
        .join(""),
    });
  }, 90_000);

  test.each([
    [["--data", "a", "--out", "b", "--colour"], "unknown option '--colour'"],
    [
      ["bake", "--data", "a", "--out", "b"],
      "Allowed choices are sentences, prepare, features, evidence, fit, quantize, export, evaluate, report.",
    ],
    [["prepare", "more", "--data", "a", "--out", "b"], "too many arguments"],
    [["--out", "b"], "required option '--data <place>' not specified"],
    [["--data", "a"], "required option '--out <folder>' not specified"],
    [["--data", "a", "--out", "b", "--cleaning", "none"], "Allowed choices are tutorial, natural."],
    [["--data", "a", "--out", "b", "--min-count", "0"], "Expected a whole number from 1."],
    [["--data", "a", "--out", "b", "--min-count", "ten"], "Expected a whole number from 1."],
    [["--data", "a", "--out", "b", "--shard", "4/3"], "Expected a part of the whole, like 3/16."],
    [["--data", "a", "--out", "b", "--shard", "1/3"], "--shard is for the stage features alone"],
    [["fit", "--data", "a", "--out", "b", "--shard", "1/3"], "--shard is for the stage features alone"],
    [["--data", "a", "--out", "b", "--max-words", "1001"], "Expected at most 1000 words."],
    [["--data", "a", "--out", "b", "--from", "c", "--units", "3"], "cannot be used with option"],
    [["--data", "a", "--out", "b", "--learning-rate", "2"], "Expected a number above 0, at most 1."],
    [["--data", "a", "--out", "b", "--seed", "-1"], "Expected a whole number."],
    [["--data", "a", "--out", "b", "--id", "My Model"], "Expected lower-case letters, digits, dots and dashes."],
    [["--data", "a", "--out", "b", "--from", "c", "--word-vectors", "d"], "cannot be used with option"],
  ])("says what is wrong with %j", async (args, message) => {
    const complaints: string[] = [];
    const command = trainCommand({ stages, train: () => Promise.reject(new Error("nothing was to be done")) });
    command.configureOutput({ writeErr: (text) => complaints.push(text) });
    await expect(command.parseAsync(args, { from: "user" })).rejects.toBeInstanceOf(CommanderError);
    expect(complaints.join("")).toContain(message);
  });

  test("accepts calibrate, the earlier name of quantize, and says so", async () => {
    const heard = listen();
    const ran: string[] = [];
    const command = trainCommand({
      stages,
      train: (chosen) => Promise.resolve(void ran.push(...chosen.map(({ name }) => name))),
    });
    await command.parseAsync(["calibrate", "--data", "a", "--out", "b"], { from: "user" });
    expect(ran).toEqual(["quantize"]);
    expect(heard()).toContain("calibrate is now called quantize");
  });

  test("exits with 2 when it is used wrongly", async () => {
    expect(await train("--colour")).toMatchObject({ code: 2, stdout: "" });
  });

  test("names the place where there is nothing, in one sentence", async () => {
    const folder = await temporaryFolder();
    const nothing = join(folder, "none");
    expect(await train("--data", nothing, "--out", folder)).toEqual({
      code: 1,
      stdout: "",
      stderr: `${nothing}: there is no such file or folder\n`,
    });
  });
});
