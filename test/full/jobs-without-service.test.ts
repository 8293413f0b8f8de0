import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { KeptProcess } from "../../scripts/start/kept-process.ts";
import { edgeProgram, host, preferFree, serviceProgram, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { ProcessGroup } from "../../scripts/start/process-group.ts";
import { CaptionClient } from "../../shared/client.ts";
import { isOver, type Job } from "../../shared/jobs.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { addJobPhotos } from "../fixtures/job-photos.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { keepOutput } from "../support/kept-output.ts";

const photos = 300;
const awayMs = 20_000;
const waitMs = 240_000;

/** The edge, and a host that starts the service again a while after it has ended. */
async function startDeployment() {
  const stateDir = await mkdtemp(join(tmpdir(), "jobs-"));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const made = await madePhotos(photos, { width: 64, height: 48 });
  const apiKey = await addJobPhotos(
    stateDir,
    made.map((photo, index) => [`${index}.jpg`, photo]),
  );
  const [port, servicePort] = [await preferFree(0), await preferFree(0)];
  const secret = "a secret of this test alone";
  const origin = `http://${host}:${servicePort}`;
  const service = new KeptProcess(
    { ...serviceProgram({ port: servicePort, modelDir: tinyBundle, secret }), listen: keepOutput },
    { pauseMs: () => awayMs, maxEndsAtOnce: 3 },
  );
  onTestFinished(() => service.stop());
  // so short that messages are sent again, and so delivered twice, even while their photos are under way
  const variables = { JOBS_RESEND_SECONDS: "2" };
  const program = edgeProgram({ port, stateDir, service: origin, secret, variables, isLogged: true });
  const edge = new ProcessGroup({ ...program, listen: keepOutput });
  onTestFinished(() => edge.stop());
  await waitUntilReady({ edge: `http://${host}:${port}` }, AbortSignal.timeout(120_000));
  return { client: new CaptionClient({ origin: `http://${host}:${port}`, apiKey }), service, origin };
}

/** Photos of jobs that the service has captioned since its start. */
async function captionedBy(origin: string): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const [, count = "0"] = /edge_caption_requests_total\{outcome="ok",priority="bulk"\} (\d+)/.exec(metrics) ?? [];
  return Number(count);
}

test(
  "a job whose service is killed and away for twenty seconds captions each photo once, and none has failed",
  async () => {
    const { client, service, origin } = await startDeployment();
    const { id } = await client.startJob({ source: { bucket: "photos" } });
    const until = async (isSo: (job: Job) => boolean): Promise<Job> => {
      for (const endMs = Date.now() + waitMs; Date.now() < endMs; await setTimeout(100)) {
        const job = await client.job(id);
        if (isSo(job)) return job;
      }
      throw new Error(`the job did not get there: ${JSON.stringify(await client.job(id))}`);
    };
    await until(({ done }) => done >= 50);
    service.signal("SIGKILL");
    await setTimeout(awayMs / 2);
    const { done: doneBefore, state } = await client.job(id);
    expect(state).toBe("running");

    expect(await until(isOver)).toMatchObject({ state: "done", listed: photos, done: photos, failed: 0 });
    expect(await captionedBy(origin)).toBeLessThanOrEqual(photos - doneBefore); // less what was in hand when it was killed
    const objects = new Set<string>();
    for await (const { object, caption } of client.jobResults(id)) {
      expect(caption).toBeTruthy();
      objects.add(object);
    }
    expect(objects.size).toBe(photos);
  },
  2 * waitMs,
);
