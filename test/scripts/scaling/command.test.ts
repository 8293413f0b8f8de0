import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { scalingCommand } from "../../../scripts/scaling/command.ts";
import { describeScaling } from "../../../scripts/scaling/report.ts";

test("tells what a load needs and costs", () => {
  let table = "";
  const program = scalingCommand((request) => {
    table = describeScaling(request);
  });
  program.parse(["--rate", "100", "--hit-rate", "0.8", "--host-price", "1"], { from: "user" });

  expect(table).toMatch(/^photos a second +100$/m);
  expect(table).toMatch(/^ {2}found in the cache +80\.0 %$/m);
  expect(table).toMatch(/^ {2}captioned +20$/m);
  expect(table).toMatch(/^engines +2$/m);
  expect(table).toMatch(/^ {2}cores for decoding +0\.07$/m);
  expect(table).toMatch(/^ {2}hosts +1460$/m);
  expect(table).toMatch(/^Cloudflare's free plan +not enough$/m);
});

test.each([
  [["--rate", "1,x"], "Expected a number that is not negative."],
  [["--hit-rate", "1"], "Expected a share from 0 to below 1"],
  [["--hit-rate", "0.5", "--photos", "1000"], "cannot be used with option"],
  [["--lone-ms", "20", "--batch-ms", "10"], "the time of the whole batch"],
])("wrong usage is refused with what is right: %j", (args, words) => {
  let said = "";
  const writeErr = (text: string) => {
    said += text;
  };
  const program = scalingCommand(() => {}).configureOutput({ writeErr });

  expect(() => program.parse(args, { from: "user" })).toThrow(CommanderError);
  expect(said).toContain(words);
});
