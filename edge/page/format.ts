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

/** Formats as `12,500`. */
export function asCount(count: number): string {
  return count.toLocaleString("en");
}

/** Formats a rate as `3.9 a second`, or as `12.0 a minute` below one a second. */
export function asRate(perSecond: number): string {
  if (perSecond < 1) return `${(60 * perSecond).toFixed(1)} a minute`;
  return `${perSecond < 10 ? perSecond.toFixed(1) : asCount(Math.round(perSecond))} a second`;
}

/** Formats as `40 s`, `12 min` or `3 h 20 min`. */
export function asTimeLeft(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)}\u00a0s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes}\u00a0min` : `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}
