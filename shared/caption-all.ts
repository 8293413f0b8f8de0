import { batchesOf, type CaptionCall, type CaptionClient } from "./client.ts";
import { type CaptionResult, maxLookupIds, type PhotoId } from "./contract.ts";
import { photoIdsOf } from "./photo-id.ts";

/** Outcome of one photo. `isHit` means that a cache held the caption, so that no model ran. */
export type PhotoOutcome<PhotoBlob> = { photo: PhotoBlob } & (
  | { result: CaptionResult; isHit: boolean }
  | { error: unknown }
);

interface CaptionAllCall<PhotoBlob> extends CaptionCall {
  /** Number of parallel uploads. */
  uploadsAtOnce?: number;
  /** Called when a photo's upload begins, because nothing was stored for it. */
  onUpload?: ((photo: PhotoBlob) => void) | undefined;
}

/**
 * Captions many photos and uploads only those for which nothing is stored. Looks photos up in batches, and yields each outcome
 * as soon as it is known, so not in the photos' order. Holds no more bytes than the current uploads. A photo's error is its
 * outcome; only the signal, whose reason is thrown, and the caller's `break` end the others.
 */
export async function* captionAll<PhotoBlob extends Blob>(
  client: CaptionClient,
  photos: Iterable<PhotoBlob> | AsyncIterable<PhotoBlob>,
  { uploadsAtOnce = 4, onUpload, signal, ...options }: CaptionAllCall<PhotoBlob> = {},
): AsyncGenerator<PhotoOutcome<PhotoBlob>, void, undefined> {
  const left = new AbortController();
  const call = { ...options, signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]) };
  const upload = (photo: PhotoBlob) => {
    onUpload?.(photo);
    return settle(photo, () => client.caption(photo, call));
  };
  try {
    for await (const batch of batchesOf(photos, maxLookupIds)) {
      const { outcomes, missing } = await lookUpBatch(client, batch, call);
      signal?.throwIfAborted();
      yield* outcomes;
      for await (const outcome of inOrderOfCompletion(missing, { work: upload, atOnce: uploadsAtOnce })) {
        signal?.throwIfAborted();
        yield outcome;
      }
    }
  } finally {
    left.abort();
  }
}

interface LookedUp<PhotoBlob> {
  /** Outcomes of photos that have a caption already or cannot be read. */
  outcomes: PhotoOutcome<PhotoBlob>[];
  missing: PhotoBlob[];
}

async function lookUpBatch<PhotoBlob extends Blob>(
  client: CaptionClient,
  photos: readonly PhotoBlob[],
  call: CaptionCall,
): Promise<LookedUp<PhotoBlob>> {
  const readable: { photo: PhotoBlob; id: PhotoId }[] = [];
  const outcomes: PhotoOutcome<PhotoBlob>[] = [];
  for (const photo of photos) {
    try {
      readable.push({ photo, id: await idOf(photo) }); // one at a time: a hundred photos may be a gigabyte
    } catch (error) {
      outcomes.push({ photo, error });
    }
  }
  try {
    const found = await client.lookUpMany(
      readable.map(({ id }) => id),
      call,
    );
    const missing: PhotoBlob[] = [];
    for (const { photo, id } of readable) {
      const result = found.get(id);
      if (result === undefined) missing.push(photo);
      else outcomes.push({ photo, result, isHit: true });
    }
    return { outcomes, missing };
  } catch (error) {
    return { outcomes: [...outcomes, ...readable.map(({ photo }) => ({ photo, error }))], missing: [] };
  }
}

/** Returns the content id if there is one, which finds what is stored even after a caption was written into the file. */
async function idOf(photo: Blob): Promise<PhotoId> {
  const { id, contentId } = await photoIdsOf(new Uint8Array(await photo.arrayBuffer()));
  return contentId ?? id;
}

async function settle<PhotoBlob>(
  photo: PhotoBlob,
  caption: () => Promise<{ result: CaptionResult; isHit: boolean }>,
): Promise<PhotoOutcome<PhotoBlob>> {
  try {
    const { result, isHit } = await caption();
    return { photo, result, isHit };
  } catch (error) {
    return { photo, error };
  }
}

/** Runs work that never fails on all items, and yields its results in the order in which they are done. */
async function* inOrderOfCompletion<Item, Result>(
  items: readonly Item[],
  { work, atOnce }: { work: (item: Item) => Promise<Result>; atOnce: number },
): AsyncGenerator<Result> {
  const running = new Set<Promise<() => Result>>();
  const next = async () => (await Promise.race(running))();
  for (const item of items) {
    if (running.size >= atOnce) yield await next();
    const done: Promise<() => Result> = work(item).then((result) => () => {
      running.delete(done);
      return result;
    });
    running.add(done);
  }
  while (running.size > 0) yield await next();
}
