import type { PhotoId } from "../shared/contract.ts";
import type { CaptionCache } from "./caption-cache.ts";
import type { CaptionFlight } from "./caption-flight.ts";
import type { Deletions, SecondLook } from "./deletions.ts";
import { flightName } from "./join-flight.ts";
import { describeError, log } from "./log.ts";

interface ErasureParts {
  cache: CaptionCache;
  deletions: Deletions;
  flights: DurableObjectNamespace<CaptionFlight>;
}

interface Erasure {
  /** Under which the deletion is remembered. */
  ids: readonly PhotoId[];
  /** From which the way to the captions is taken out, too. */
  files: readonly PhotoId[];
  /** What the captions are stored under. */
  photoId: PhotoId;
  revision: string;
  secondLook?: SecondLook | undefined;
}

/**
 * Takes what a revision said of a photo out of KV, this data centre's cache and the memory of flights, whatever the options.
 * The deletion is remembered first, so that nobody who began before it stores anything. Tells whether all of it was done.
 */
export async function eraseCaptions(
  { cache, deletions, flights }: ErasureParts,
  { ids, files, photoId, revision, secondLook }: Erasure,
): Promise<boolean> {
  const areRemembered = await Promise.all([
    deletions.remember(ids, secondLook),
    forgetFlights(flights, flightName({ photoId, revision })),
  ]);
  const areOutOfKv = await cache.remove({ photoId, revision, files });
  return areOutOfKv && !areRemembered.includes(false);
}

async function forgetFlights(flights: DurableObjectNamespace<CaptionFlight>, name: string): Promise<boolean> {
  try {
    await flights.getByName(name).forget();
    return true;
  } catch (error) {
    log("warn", "flights could not be told to forget", { error: describeError(error) });
    return false;
  }
}
