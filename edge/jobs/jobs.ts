import { type JobsSettings, readJobs } from "../settings.ts";
import { JobStore } from "./job-store.ts";
import { PhotoStore } from "./photo-store.ts";

/** What jobs are kept, sent and listed with. */
export interface Jobs extends JobsSettings {
  store: JobStore;
  photos: PhotoStore;
}

/** Opens what the environment binds for jobs. Throws for a bad setting. */
export function openJobs(environment: unknown): Jobs {
  const settings = readJobs(environment);
  return { ...settings, store: new JobStore(settings.db), photos: new PhotoStore(settings.db) };
}

/** Starts the Workflow that lists a job's photos: the first, or one that takes over. */
export async function startListing({ workflow }: Jobs, job: string, listing: number): Promise<void> {
  await workflow.create({ id: `${job}-${listing}`, params: { job, listing } });
}
