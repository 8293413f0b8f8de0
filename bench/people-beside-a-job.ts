import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { defaultModelDir } from "../captioner/bundle.ts";
import { startDeployment } from "../scripts/start/local-servers.ts";
import { CaptionClient } from "../shared/client.ts";
import { isOver } from "../shared/jobs.ts";
import { addJobPhotos } from "../test/fixtures/job-photos.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import type { Bench } from "./bench.ts";

/** One after the other, as a person's are, each new to the edge. */
const uploads = 20;
const rounds = 3;
/** More than are captioned while people upload. */
const jobPhotos = 1500;
/** The job's first ones warm up what a job needs. */
const doneBefore = 20;
const patienceMs = 120_000;

export const peopleBesideAJob: Bench = {
  name: "people-beside-a-job",
  about: "p95 of uploads by people while a job captions a bucket ÷ the same alone; at most 2",
  async run() {
    const stateDir = await mkdtemp(join(tmpdir(), "bench-"));
    try {
      const ofJob = await madePhotos(jobPhotos, { seed: 1 });
      const apiKey = await addJobPhotos(
        stateDir,
        ofJob.map((photo, index) => [`${index}.jpg`, photo]),
      );
      const servers = await startDeployment({ modelDir: resolve(defaultModelDir), stateDir });
      try {
        return await measure(new CaptionClient({ origin: servers.edge, apiKey }));
      } finally {
        await servers.stop();
      }
    } finally {
      await rm(stateDir, { recursive: true, force: true });
    }
  },
};

async function measure(client: CaptionClient) {
  const ofPeople = await madePhotos(2 * rounds * uploads + 1, { seed: 2 });
  const upload = async (): Promise<number> => {
    const begun = performance.now();
    await client.caption(ofPeople.pop() ?? new Uint8Array());
    return performance.now() - begun;
  };
  await upload();
  const alone = await timeAll(upload);
  const { id } = await client.startJob({ source: { bucket: "photos" } });
  const until = Date.now() + patienceMs;
  while ((await client.job(id)).done < doneBefore) {
    if (Date.now() > until) throw new Error("expected the job to get on, found that it does not");
    await setTimeout(200);
  }
  const [before, begun] = [await client.job(id), performance.now()];
  const beside = await timeAll(upload);
  const [after, seconds] = [await client.job(id), (performance.now() - begun) / 1000];
  if (isOver(after)) throw new Error("expected the job to go on all the while, found that it was over");
  const pace = `the job at ${((after.done - before.done) / seconds).toFixed(1)} photos a second`;
  return {
    number: p95(beside) / p95(alone),
    ours: `${p95(beside).toFixed(0)} ms, ${pace}`,
    peer: `${p95(alone).toFixed(0)} ms alone`,
  };
}

async function timeAll(upload: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < rounds * uploads; index++) times.push(await upload());
  return times;
}

function p95(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
}
