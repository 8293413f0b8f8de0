import { CaptionClient } from "../../../../shared/client.ts";
import { isOver, type Job } from "../../../../shared/jobs.ts";
import { addJobPhotos } from "../../../fixtures/job-photos.ts";
import { madePhotos } from "../../../fixtures/made-images.ts";
import type { Fault } from "../fault.ts";
import { restartEdge } from "./edge.ts";

const photos = 150;
/** Done when the edge is killed: a part of a batch. */
const doneBefore = 25;

export const killEdgeInJob: Fault = {
  ...restartEdge,
  name: "kill-edge-in-job",
  about: `SIGKILL to the edge in the middle of a job over ${photos} photos, all of whose messages are lost`,
  promise: "the job ends with a caption for every photo; for others it is as with restart-edge",
  mayRefuse: ["overloaded"],
  recoverySeconds: 10,
  async fill(stateDir) {
    const made = await madePhotos(photos, { seed: 77 });
    return addJobPhotos(
      stateDir,
      made.map((photo, index) => [`${index}.jpg`, photo]),
    );
  },
  async run({ deployment, apiKey, mended, until, expect }) {
    const client = new CaptionClient({ origin: deployment.edge, apiKey });
    let job: Job = await client.startJob({ source: { bucket: "photos" } });
    const look = async () => {
      job = await client.job(job.id).catch(() => job); // while nobody is there
    };
    await until(async () => look().then(() => job.done >= doneBefore), { seconds: 60, what: "the job gets on" });
    await deployment.restartEdge();
    mended();
    await until(async () => look().then(() => isOver(job)), { seconds: 240, what: "the job ends" });
    expect(job.state === "done" && job.done === photos && job.failed === 0, "every photo of the job has a caption");
  },
};
