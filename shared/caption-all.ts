import type { CaptionCall, CaptionClient } from "./client.ts";
import { type CaptionResult, maxLookupIds, type PhotoId } from "./contract.ts";
import { photoIdsOf } from "./photo-id.ts";

/** One for each photo, always. `isHit` tells that a cache held the caption, so that no model ran. */
export type PhotoOutcome<Photo> = { photo: Photo } & ({ result: CaptionResult; isHit: boolean } | { error: unknown });

interface CaptionAllCall<Photo> extends CaptionCall {
  /** Uploads under way at a time. */
  uploadsAtOnce?: number;
  /** Told as a photo's upload begins: nothing was stored for it. */
  onUpload?: ((photo: Photo) => void) | undefined;
}

/**
 * Captions many photos, uploading only those for which nothing is stored: looks them up by the hundred, and gives each
 * outcome as soon as it is there, so not in their order. Holds the bytes of the uploads under way and no more. What goes
 * wrong with one photo is its outcome; only the signal, whose reason is thrown, and the caller's `break` end the others.
 */
export async function* captionAll<Photo extends Blob>(
  client: CaptionClient,
  photos: Iterable<Photo> | AsyncIterable<Photo>,
  { uploadsAtOnce = 4, onUpload, signal, ...options }: CaptionAllCall<Photo> = {},
): AsyncGenerator<PhotoOutcome<Photo>, void, undefined> {
  const left = new AbortController();
  const call = { ...options, signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]) };
  const upload = (photo: Photo) => {
    onUpload?.(photo);
    return settle(photo, () => client.caption(photo, call));
  };
  try {
    for await (const group of groupsOf(photos, maxLookupIds)) {
      const { outcomes, missing } = await lookUpGroup(client, group, call);
      signal?.throwIfAborted();
      yield* outcomes;
      for await (const outcome of asTheyEnd(missing, { work: upload, atOnce: uploadsAtOnce })) {
        signal?.throwIfAborted();
        yield outcome;
      }
    }
  } finally {
    left.abort();
  }
}

interface LookedUp<Photo> {
  /** Of the photos that need no upload, or of which none can come. */
  outcomes: PhotoOutcome<Photo>[];
  missing: Photo[];
}

async function lookUpGroup<Photo extends Blob>(
  client: CaptionClient,
  photos: readonly Photo[],
  call: CaptionCall,
): Promise<LookedUp<Photo>> {
  const readable: { photo: Photo; id: PhotoId }[] = [];
  const outcomes: PhotoOutcome<Photo>[] = [];
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
    const missing: Photo[] = [];
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

/** By what it shows, where that is known: a caption written into its file since does not hide what is stored. */
async function idOf(photo: Blob): Promise<PhotoId> {
  const { id, contentId } = await photoIdsOf(new Uint8Array(await photo.arrayBuffer()));
  return contentId ?? id;
}

async function settle<Photo>(
  photo: Photo,
  caption: () => Promise<{ result: CaptionResult; isHit: boolean }>,
): Promise<PhotoOutcome<Photo>> {
  try {
    const { result, isHit } = await caption();
    return { photo, result, isHit };
  } catch (error) {
    return { photo, error };
  }
}

/** Results of work that never fails, in the order in which it ends. */
async function* asTheyEnd<Item, Result>(
  items: readonly Item[],
  { work, atOnce }: { work: (item: Item) => Promise<Result>; atOnce: number },
): AsyncGenerator<Result> {
  const underWay = new Set<Promise<() => Result>>();
  const next = async () => (await Promise.race(underWay))();
  for (const item of items) {
    if (underWay.size >= atOnce) yield await next();
    const ended: Promise<() => Result> = work(item).then((result) => () => {
      underWay.delete(ended);
      return result;
    });
    underWay.add(ended);
  }
  while (underWay.size > 0) yield await next();
}

async function* groupsOf<Item>(items: Iterable<Item> | AsyncIterable<Item>, size: number): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
