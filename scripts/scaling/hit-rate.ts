const daySeconds = 24 * 60 * 60;

/** How people ask for photos. */
export interface Popularity {
  /** Different photos that are asked for. */
  photos: number;
  /** Zipf's exponent: the n-th most wanted photo is asked for n^-exponent times as often as the first. 0: all alike. */
  exponent: number;
  /** How long a caption is kept from when it was made, asked for or not. */
  ttlDays: number;
}

/** Above this many, photos whose places are alike are counted together. */
const countedSingly = 10_000;
const placesGrowBy = 1.01;

/**
 * Share of the requests that find a caption, at so many a second. A photo asked for λ times a second is made once in T + 1/λ,
 * and found λT times in between: λT / (1 + λT), exact for Poisson requests and a lifetime that a hit does not lengthen
 * (Jung, Berger and Balakrishnan, "Modeling TTL-based Internet caches", 2003).
 */
export function expectedHitRate({ photos, exponent, ttlDays }: Popularity, requestsPerSecond: number): number {
  const groups = placesOf(photos).map(({ from, count }) => {
    const place = count === 1 ? from : from + (count - 1) / 2;
    return { count, wanted: place ** -exponent };
  });
  const total = groups.reduce((sum, { count, wanted }) => sum + count * wanted, 0);
  const requestsKept = requestsPerSecond * ttlDays * daySeconds;
  return groups.reduce((sum, { count, wanted }) => {
    const share = wanted / total;
    const perLifetime = share * requestsKept;
    return sum + (count * share * perLifetime) / (1 + perLifetime);
  }, 0);
}

/** The places 1 to n, the later ones in growing groups. */
function placesOf(photos: number): { from: number; count: number }[] {
  const groups: { from: number; count: number }[] = [];
  for (let from = 1; from <= photos; ) {
    const count = from < countedSingly ? 1 : Math.min(Math.floor(from * (placesGrowBy - 1)), photos - from + 1);
    groups.push({ from, count });
    from += count;
  }
  return groups;
}
