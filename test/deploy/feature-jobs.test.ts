import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { trainCommand } from "../../training/command.ts";
import type { TrainRequest } from "../../training/stage.ts";
import { stages } from "../../training/stages.ts";
import { readDeployed } from "./manifests.ts";

const jobSchema = z.object({
  spec: z.object({
    completions: z.number().optional(),
    template: z.object({
      spec: z.object({ containers: z.tuple([z.object({ command: z.array(z.string()), args: z.array(z.string()) })]) }),
    }),
  }),
});

const program = "node --import tsx training/main.ts";

function readJob(name: string) {
  const { completions, template } = jobSchema.parse(parse(readDeployed(`kubernetes/features/${name}-job.yaml`))).spec;
  const [{ command, args }] = template.spec.containers;
  return { completions, command, args };
}

/** What `npm run train` makes of a job's words. */
async function contextOf(args: readonly string[]): Promise<{ stage: string | undefined; context: TrainRequest }> {
  const runs: { stage: string | undefined; context: TrainRequest }[] = [];
  const train = async ([first]: readonly { name: string }[], context: TrainRequest) => {
    runs.push({ stage: first?.name, context });
  };
  await trainCommand({ stages, train }).parseAsync(args, { from: "user" });
  const [run] = runs;
  if (run === undefined) throw new Error("nothing was run");
  return run;
}

test("each index of the job has a part of its own, and together they are all", async () => {
  const { completions = 0, command, args } = readJob("features");
  const [shell = "", ...flags] = command;
  const parts = await Promise.all(
    Array.from({ length: completions }, async (_, index) => {
      const script = args.map((text) => text.replace(`exec ${program}`, "printf '%s\\n'"));
      const env = { ...process.env, JOB_COMPLETION_INDEX: String(index) };
      const words = execFileSync(shell, [...flags, ...script], { encoding: "utf8", env });
      const { stage, context } = await contextOf(words.trim().split("\n"));
      expect(stage).toBe("features");
      return context.settings.shard;
    }),
  );

  expect(parts).toEqual(Array.from({ length: completions }, (_, index) => ({ number: index + 1, of: completions })));
});

test.each([
  ["prepare", "prepare"],
  ["join", "features"],
])("the job %s runs the stage %s over all photos, in the folder of the parts", async (name, stage) => {
  const { command, args } = readJob(name);
  const ran = await contextOf(args);

  expect(command.join(" ")).toBe(program);
  expect(ran.stage).toBe(stage);
  expect(ran.context.settings.shard).toBeUndefined();
  expect(readJob("features").args[0]).toContain(`--data ${ran.context.data[0]?.path} --out ${ran.context.out}`);
});
