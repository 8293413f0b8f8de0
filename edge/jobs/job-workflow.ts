import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import * as z from "zod";
import { describeError, log } from "../log.ts";
import { openJobs } from "./jobs.ts";
import { type ListedPage, listPage } from "./list-photos.ts";
import { resendLost } from "./reconcile.ts";

/** R2, D1 and the queue may refuse for a while; a page that fails for two hours fails its job. */
const pageRetries = {
  retries: { limit: 12, delay: "2 seconds", backoff: "exponential" },
  timeout: "5 minutes",
} as const;
/** Looks at a job after its listing, each after twice the pause: the last ones are a week apart. The cron trigger looks too. */
const maxLooks = 14;

const paramsSchema = z.object({ job: z.uuid(), listing: z.int() });

/**
 * Lists a job's photos, a step per page, and then looks after those that the queue may have lost. A step returns where the
 * next page begins and never keys: what a step returns is kept, and has a limit.
 */
export class JobWorkflow extends WorkflowEntrypoint {
  override async run({ payload }: WorkflowEvent<unknown>, step: WorkflowStep): Promise<void> {
    const params = paramsSchema.parse(payload);
    const jobs = openJobs(this.env);
    let page: ListedPage = { cursor: null, isLast: false };
    for (let number = 1; !page.isLast; number++) {
      try {
        page = await step.do(`list page ${number}`, pageRetries, () => listPage(jobs, params));
      } catch (error) {
        log("error", "a job could not list its photos", { ...params, error: describeError(error) });
        const failure = { state: "failed", reason: "the photos could not be listed" } as const;
        await step.do("fail", () => jobs.store.end(params.job, failure));
        return;
      }
    }
    for (let look = 0; look < maxLooks; look++) {
      await step.sleep(`pause ${look + 1}`, jobs.resendSeconds * 1000 * 2 ** look);
      if (await step.do(`look ${look + 1}`, () => resendLost(jobs, params.job))) return;
    }
  }
}
