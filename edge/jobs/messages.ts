import * as z from "zod";
import { chunksOf } from "./photo-store.ts";

const photosPerMessage = 10;
/** Cloudflare's limits: messages in one call, and the longest delay. */
const messagesPerBatch = 100;
const maxDelaySeconds = 43_200;

/** Photos by their numbers in D1, which knows the rest: keys may be long, and a message may be old. */
const photosMessageSchema = z.object({ photos: z.array(z.int()).min(1) });

/** R2's event notification; see https://developers.cloudflare.com/r2/buckets/event-notifications/ */
const bucketEventSchema = z.object({
  action: z.string(),
  bucket: z.string(),
  object: z.object({ key: z.string() }),
});

export type BucketEvent = z.infer<typeof bucketEventSchema>;

export const messageSchema = z.union([photosMessageSchema, bucketEventSchema]);

/**
 * Puts photos on the queue, ten in a message. When this throws, some may be there already: to send all of them again does
 * no harm, since a photo that has its caption is skipped.
 */
export async function sendPhotos(
  queue: Queue<unknown>,
  photos: readonly number[],
  { delaySeconds = 0 }: { delaySeconds?: number } = {},
): Promise<void> {
  const delay = delaySeconds > 0 ? { delaySeconds: Math.min(Math.ceil(delaySeconds), maxDelaySeconds) } : {};
  const messages = chunksOf(photos, photosPerMessage).map((numbers) => ({ body: { photos: numbers } }));
  for (const batch of chunksOf(messages, messagesPerBatch)) await queue.sendBatch(batch, delay);
}
