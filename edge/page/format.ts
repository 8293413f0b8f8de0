/** `0.413` as `41 %`, with a space that does not break. */
export function asPercent(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** `84 ms`, or `1.2 s` from a second on. */
export function asDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)}\u00a0ms` : `${(milliseconds / 1000).toFixed(1)}\u00a0s`;
}

/** `81 kB`, or `1.2 MB` from a megabyte on. */
export function asSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))}\u00a0kB`;
  return `${(bytes / 1_000_000).toFixed(1)}\u00a0MB`;
}
