import type { JobRow } from "./job-store.ts";
import type { Jobs } from "./jobs.ts";
import { sendPhotos } from "./messages.ts";

/** As many as R2 lists at once, and a hundred messages, which one call sends. */
const objectsPerPage = 1000;

/** Where a listing stands. */
export interface ListedPage {
  /** Where the next page begins. */
  cursor: string | null;
  isLast: boolean;
}

interface Listing {
  job: string;
  /** Number of the Workflow that lists. */
  listing: number;
}

/**
 * Lists one page of a job's photos into D1 and puts them on the queue. D1 remembers the place, so a step that is run twice, or
 * a Workflow that takes over, continues there; photos that are sent twice are captioned once.
 */
export async function listPage(jobs: Jobs, { job: id, listing }: Listing): Promise<ListedPage> {
  const job = await jobs.store.find(id);
  if (job === null || job.state !== "listing" || job.listing !== listing) return { cursor: null, isLast: true };
  return job.bucket === null ? sendAddresses(jobs, job) : listBucketPage(jobs, { ...job, bucket: job.bucket });
}

/** Sends the addresses, which have had their rows since the job began. */
async function sendAddresses({ store, photos, queue }: Jobs, { id }: JobRow): Promise<ListedPage> {
  await sendPhotos(queue, await photos.sentBefore(id, { ms: Date.now() + 1, limit: objectsPerPage }));
  await store.endListing(id);
  return { cursor: null, isLast: true };
}

async function listBucketPage(
  { buckets, store, photos, queue }: Jobs,
  { id, prefix, cursor, bucket: name }: JobRow & { bucket: string },
): Promise<ListedPage> {
  const bucket = buckets.get(name);
  if (bucket === undefined) {
    await store.end(id, { state: "failed", reason: `the bucket ${name} is not bound any more` });
    return { cursor: null, isLast: true };
  }
  const page = await bucket.list({ prefix, limit: objectsPerPage, ...(cursor !== null && { cursor }) });
  const listed = page.objects.filter(({ key }) => mayBePhoto(key)).map(({ key, etag }) => ({ object: key, etag }));
  await photos.addPage(id, listed);
  const keys = listed.map(({ object }) => object);
  await sendPhotos(queue, await photos.queuedAmong(id, keys));
  if (!page.truncated) {
    await store.endListing(id);
    return { cursor: null, isLast: true };
  }
  await store.moveOn(id, page.cursor); // last, so that a step which failed before it lists the same page again
  return { cursor: page.cursor, isLast: false };
}

/** Whether an object counts as a photo: not what stands for a folder, and not a sidecar, whoever wrote it. */
export function mayBePhoto(key: string): boolean {
  return !/\/$|\.(?:json|xmp)$/i.test(key);
}
