import type { Firing } from "./fire.ts";

/** What may be answered in the place of a caption, with `Retry-After`, where there is too much. */
const busyCodes: readonly string[] = ["overloaded", "rate_limited"];

/** What is not as it should be, a sentence each. */
export function faultsOf({ shape, answered, hits, refused, lost }: Firing): string[] {
  const faults: string[] = [];
  const wrongCodes = Object.keys(refused).filter((code) => !busyCodes.includes(code));
  if (answered === 0) faults.push("nothing was answered");
  if (lost.length > 0) faults.push(`${lost.length} lost: ${[...new Set(lost)].join("; ")}`);
  if (wrongCodes.length > 0) faults.push(`refused with ${wrongCodes.join(", ")}`);
  if (shape.isTooMuch !== true && Object.keys(refused).length > 0) faults.push("refused what is not too much");
  if (!shape.round.includes("new") && hits < answered)
    faults.push(`${answered - hits} known photos not from the cache`);
  return faults.map((fault) => `${shape.name}: ${fault}`);
}
