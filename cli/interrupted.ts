/** Why a run ends that somebody interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
