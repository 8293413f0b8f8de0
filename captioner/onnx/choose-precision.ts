import type { EncoderBundle } from "../bundle.ts";
import type { Precision, PrecisionChoice } from "../engine.ts";
import { createEncoderSession, type EncoderSession } from "./encoder-session.ts";
import { recallPrecision, rememberPrecision } from "./precision-memory.ts";

/** Below it, other captions than float32's are not worth the time. */
const leastGain = 1.3;

/** Nor where so little is saved a photo. */
const leastSavedMs = 3;

const rounds = 3;

/**
 * A session of the precision that was asked for. `auto` is int8 where the bundle has ranges and this machine gains by it,
 * which is measured once a machine and bundle.
 */
export async function openEncoderSession(
  bundle: EncoderBundle,
  { threads, precision }: { threads: number; precision: PrecisionChoice },
): Promise<EncoderSession> {
  const open = (chosen: Precision) => createEncoderSession(bundle, { threads, precision: chosen });
  if (precision !== "auto") return open(precision);
  if (bundle.readRanges() === undefined) return open("float32");
  const known = await recallPrecision(bundle, threads);
  if (known !== undefined) return open(known);
  const model = bundle.readEncoder();
  const parsed = { ...bundle, readEncoder: () => model }; // once for both
  const sessions = {
    float32: await createEncoderSession(parsed, { threads, precision: "float32" }),
    int8: await createEncoderSession(parsed, { threads, precision: "int8" }),
  };
  const chosen = choosePrecision(await timeSessions(bundle, sessions));
  await rememberPrecision(bundle, { threads, precision: chosen });
  await sessions[chosen === "int8" ? "float32" : "int8"].close(); // one stays in memory
  return sessions[chosen];
}

/** By milliseconds a photo. */
export function choosePrecision({ float32, int8 }: Record<Precision, number>): Precision {
  return float32 >= leastGain * int8 && float32 - int8 >= leastSavedMs ? "int8" : "float32";
}

/** The least milliseconds of a lone photo, in turns, behind a round that is not counted. */
async function timeSessions(
  { manifest }: EncoderBundle,
  sessions: Record<Precision, EncoderSession>,
): Promise<Record<Precision, number>> {
  const { width, height } = manifest.preprocessing;
  const pixels = new Uint8Array(width * height * 3).map((_, index) => index % 251);
  const least = { float32: Number.POSITIVE_INFINITY, int8: Number.POSITIVE_INFINITY };
  for (let round = 0; round <= rounds; round++) {
    for (const precision of ["float32", "int8"] as const) {
      const begun = performance.now();
      await sessions[precision].encode(pixels, 1);
      if (round > 0) least[precision] = Math.min(least[precision], performance.now() - begun);
    }
  }
  return least;
}
