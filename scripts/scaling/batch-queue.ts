/** An engine and the queue before it. Times are milliseconds, the rate is photos a second. */
export interface BatchQueue {
  /** Photos that come to this engine; they come independently of each other. */
  rate: number;
  /** Time of a batch of one; between it and a full batch, time grows linearly. */
  loneMs: number;
  batchMs: number;
  maxBatch: number;
  /** Photos in hand at once, those in the engine included; the next is refused. */
  maxQueued: number;
}

export interface QueueForecast {
  /** Mean time from decoded to captioned, over photos that were not refused. */
  meanMs: number;
  p99Ms: number;
  /** Share of the time in which the engine works. */
  busy: number;
  /** Share of the photos. */
  refused: number;
  meanBatch: number;
}

/** Moments of a batch's run at which an arrival is looked at. */
const momentsOfRun = 32;
const leastWeight = 1e-13;
/** Steps in which times are counted, of a lone photo's. */
const stepsOfLone = 200;

/** Photos a second of an engine that always has a full batch. */
export function capacityOf({ maxBatch, batchMs }: Pick<BatchQueue, "maxBatch" | "batchMs">): number {
  return (maxBatch * 1000) / batchMs;
}

/** Milliseconds of a batch. */
function batchTime({ loneMs, batchMs, maxBatch }: Omit<BatchQueue, "rate" | "maxQueued">, photos: number): number {
  return maxBatch === 1 ? loneMs : loneMs + ((batchMs - loneMs) * (photos - 1)) / (maxBatch - 1);
}

/**
 * The bulk-service queue M/D[1,B]/1 with finite room, as the service batches: an idle engine takes a photo at once, a busy one
 * takes afterwards what has come, up to a batch. Poisson arrivals, the batch's time fixed by its size. After Neuts, "A general
 * class of bulk queues with Poisson input" (1967): the chain of photos in hand at each batch's start, solved, and a photo
 * followed through it. Exact but for the moments at which arrivals are looked at, and for refusals while a photo waits.
 */
export function forecastQueue(queue: BatchQueue): QueueForecast {
  const { rate, maxBatch, maxQueued } = queue;
  const perMs = rate / 1000;
  const chain = chainOfStarts(queue);
  const share = longRunShares(chain);
  let runMs = 0;
  let idleMs = 0;
  let photos = 0;
  const times = new TimeTally(queue.loneMs / stepsOfLone);
  for (const [index, probability] of share.entries()) {
    const size = Math.min(index + 1, maxBatch);
    const waiting = index + 1 - size;
    const ms = batchTime(queue, size);
    const endsIdle = waiting === 0 ? Math.exp(-perMs * ms) : 0;
    runMs += probability * ms;
    idleMs += (probability * endsIdle) / perMs;
    photos += probability * size;
    times.add(batchTime(queue, 1), probability * endsIdle);
    if (probability > leastWeight)
      countArrivals(queue, { times, probability, waiting, ms, room: maxQueued - size - waiting });
  }
  const cycleMs = runMs + idleMs;
  return {
    meanMs: times.mean,
    p99Ms: times.quantile(0.99),
    busy: runMs / cycleMs,
    refused: Math.max(0, 1 - photos / cycleMs / perMs),
    meanBatch: photos,
  };
}

/** Probabilities of having so many photos in hand at a batch's start (row, column: one less), given those at the last one's. */
function chainOfStarts(queue: BatchQueue): number[][] {
  const { rate, maxBatch, maxQueued } = queue;
  return Array.from({ length: maxQueued }, (_, index) => {
    const size = Math.min(index + 1, maxBatch);
    const waiting = index + 1 - size;
    const arrivals = poisson((rate / 1000) * batchTime(queue, size), maxQueued);
    const row = new Array<number>(maxQueued).fill(0);
    let left = 1;
    for (const [count, probability] of arrivals.entries()) {
      const next = waiting + count;
      if (next >= maxQueued - size) break;
      add(row, Math.max(next, 1) - 1, probability); // an idle engine takes the next that comes
      left -= probability;
    }
    add(row, Math.max(maxQueued - size, 1) - 1, Math.max(left, 0)); // whoever comes then is refused
    return row;
  });
}

interface RunUnderWay {
  /** Where they are counted. */
  times: TimeTally;
  probability: number;
  waiting: number;
  ms: number;
  /** Photos that may still come. */
  room: number;
}

/** Counts photos that come while a batch runs. They wait for its rest, the full batches before theirs, and theirs, whose size depends on who comes later. */
function countArrivals(queue: BatchQueue, { times, probability, waiting, ms, room }: RunUnderWay): void {
  const { rate, batchMs, maxBatch } = queue;
  const perMs = rate / 1000;
  for (let moment = 0; moment < momentsOfRun; moment++) {
    const passedMs = (ms * (moment + 0.5)) / momentsOfRun;
    const before = poisson(perMs * passedMs, room);
    for (const [count, chance] of before.slice(0, room).entries()) {
      const weight = (probability * perMs * ms * chance) / momentsOfRun;
      if (weight < leastWeight) continue;
      const batchesBefore = Math.floor((waiting + count) / maxBatch);
      const untilStartMs = ms - passedMs + batchesBefore * batchMs;
      const least = waiting + count - batchesBefore * maxBatch + 1;
      const most = batchesBefore === 0 ? Math.min(maxBatch, waiting + room) : maxBatch; // who finds no room, joins no batch
      let full = 1;
      for (const [later, part] of poisson(perMs * untilStartMs, most - least)
        .slice(0, most - least)
        .entries()) {
        times.add(untilStartMs + batchTime(queue, least + later), weight * part);
        full -= part;
      }
      times.add(untilStartMs + batchTime(queue, most), weight * Math.max(full, 0));
    }
  }
}

/** How long photos took, counted in steps. */
class TimeTally {
  readonly #stepMs: number;
  readonly #steps: number[] = [];
  #weight = 0;
  #sum = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  get mean(): number {
    return this.#sum / this.#weight;
  }

  add(ms: number, weight: number): void {
    const step = Math.floor(ms / this.#stepMs);
    this.#steps[step] = (this.#steps[step] ?? 0) + weight;
    this.#weight += weight;
    this.#sum += ms * weight;
  }

  /** The end of the step in which so large a share is reached. */
  quantile(share: number): number {
    let passed = 0;
    const step = this.#steps.findIndex((weight = 0) => {
      passed += weight;
      return passed >= share * this.#weight;
    });
    return (step + 1) * this.#stepMs;
  }
}

/** Probabilities of 0, 1, … `most` events. In logarithms, since e^-mean alone may be too small for a number. */
function poisson(mean: number, most: number): number[] {
  let logarithm = -mean;
  return Array.from({ length: most + 1 }, (_, count) => {
    if (count > 0) logarithm += Math.log(mean / count);
    return Math.exp(logarithm);
  });
}

/** The chain's shares in the long run, by Grassmann, Taksar and Heyman's elimination, which subtracts nothing. */
function longRunShares(chain: readonly (readonly number[])[]): number[] {
  const rows = chain.map((row) => [...row]);
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let last = rows.length - 1; last > 0; last--) {
    const leaving = rows[last]?.slice(0, last).reduce((sum, value) => sum + value, 0) ?? 0;
    for (let row = 0; row < last; row++) {
      const factor = at(row, last) / leaving;
      if (factor === 0) continue;
      for (let column = 0; column < last; column++) add(rows[row] ?? [], column, factor * at(last, column));
      const own = rows[row];
      if (own !== undefined) own[last] = factor;
    }
  }
  const shares = [1];
  for (let state = 1; state < rows.length; state++) {
    shares.push(shares.reduce((sum, share, row) => sum + share * at(row, state), 0));
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** Adds to a place of a row that may be empty yet. */
function add(row: number[], column: number, value: number): void {
  row[column] = (row[column] ?? 0) + value;
}
