import type { Jobs } from "./jobs.ts";
import { mayBePhoto } from "./list-photos.ts";
import { type BucketEvent, sendPhotos } from "./messages.ts";
import { deleteSidecar } from "./sidecar.ts";

/**
 * Takes note of a change in a bucket for the jobs that follow it: a new or replaced photo is queued, one that is gone is
 * forgotten. Looks at the bucket itself, since events may come twice, late and in any order.
 */
export async function followBucket(jobs: Jobs, { bucket: name, object: { key } }: BucketEvent): Promise<void> {
  const bucket = jobs.buckets.get(name);
  if (bucket === undefined || !mayBePhoto(key)) return;
  const followers = await jobs.store.findFollowers({ bucket: name, key });
  if (followers.length === 0) return;
  const object = await bucket.head(key);
  for (const { id, sidecars } of followers) {
    if (object === null) {
      await jobs.photos.forget(id, key);
      if (sidecars !== "none") await deleteSidecar(bucket, { key, form: sidecars });
      continue;
    }
    const number = await jobs.photos.queueVersion(id, { object: key, etag: object.etag });
    if (number !== null) await sendPhotos(jobs.queue, [number]);
  }
}
