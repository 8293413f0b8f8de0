import { openBundle } from "../captioner/bundle.ts";
import type { Manifest } from "../shared/manifest.ts";
import type { TrainContext } from "./stage.ts";

/** The bundle whose encoder is used: the one that training goes on from, where it does. */
export function encoderBundleOf({ settings }: TrainContext): string {
  return settings.from ?? settings.encoder;
}

/** How captions are searched, in scoring and by whoever uses the bundle: as the bundle has it that training goes on from. */
export async function searchOf({ settings }: TrainContext): Promise<Manifest["search"]> {
  const { maxWords, from } = settings;
  return from === undefined
    ? { lengthPenalty: 0.7, maxWords }
    : { ...(await openBundle(from)).manifest.search, maxWords };
}
