import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { isAddress } from "../../files/remote/address.ts";
import { deployFolder, readDeployed } from "./manifests.ts";

const containerSchema = z.object({
  command: z.array(z.string()),
  args: z.array(z.string()),
  envFrom: z.array(z.object({ secretRef: z.object({ name: z.string() }) })).default([]),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});

const jobSchema = z.object({
  spec: z.object({
    completionMode: z.string().optional(),
    completions: z.number().optional(),
    template: z.object({ spec: z.object({ containers: z.tuple([containerSchema]) }) }),
  }),
});

function readJob(name: string) {
  const { template, ...job } = jobSchema.parse(parse(readDeployed(`kubernetes/captions/${name}-job.yaml`))).spec;
  return { ...job, ...template.spec.containers[0] };
}

test("each pod captions the shard of its index, of as many as the job has", () => {
  const { completionMode, completions, args, env } = readJob("captions");
  expect(completionMode).toBe("Indexed");
  expect(args.join(" ")).toContain("--shard auto");
  expect(args).toContain("--exit-zero"); // a broken photo would otherwise fail the job, and nothing would be joined
  expect(env).toContainEqual({ name: "JOB_COMPLETION_COUNT", value: String(completions) });
});

test("the pods read a bucket, by the secret that the docs make", () => {
  const { args, envFrom } = readJob("captions");
  expect(isAddress(args[1] ?? "")).toBe(true);
  const [{ secretRef } = { secretRef: { name: "" } }] = envFrom;
  const docs = readFileSync(join(deployFolder, "../docs/deploy.md"), "utf8");
  expect(docs).toContain(`kubectl create secret generic ${secretRef.name} --from-literal=AWS_REGION`);
});

test("a replaced pod finds the key of its part's state on the volume", () => {
  const { args, env } = readJob("captions");
  const key = env.find(({ name }) => name === "XDG_STATE_HOME")?.value ?? "";
  expect(key.split("/")[1]).toBe(args[args.indexOf("--jsonl") + 1]?.split("/")[1]);
});

test("the parts are joined into the file that they were named after", () => {
  const { args } = readJob("captions");
  const joined = readJob("join");
  expect(joined.args).toEqual(["join", args[args.indexOf("--jsonl") + 1], "--force"]);
  expect(joined.command).toEqual(readJob("captions").command);
});
