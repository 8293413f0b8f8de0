/** Formats `0.413` as `41 %`, with a no-break space. */
export function asPercent(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** Formats as `84 ms`, or as `1.2 s` from one second. */
export function asDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)}\u00a0ms` : `${(milliseconds / 1000).toFixed(1)}\u00a0s`;
}

/** Formats as `81 kB`, or as `1.2 MB` from one megabyte. */
export function asSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))}\u00a0kB`;
  return `${(bytes / 1_000_000).toFixed(1)}\u00a0MB`;
}
