import { Command, InvalidArgumentError, Option } from "commander";
import { countUpTo } from "../../terminal/command-line.ts";
import type { Popularity } from "./hit-rate.ts";
import type { EngineMeasures } from "./plan.ts";

/** Photos in a batch, and in hand. More would take minutes to solve, and change nothing if captions are to come in seconds. */
const readPhotoCount = countUpTo(256);

export interface ScalingRequest {
  /** Photos a second that are asked for; a column each. */
  rates: number[];
  /** Share of them that the cache answers, or how it comes about. */
  hits: number | Omit<Popularity, "ttlDays">;
  ttlDays: number;
  engine: EngineMeasures;
  p99Ms: number;
  /** Dollars an hour of one engine's host. */
  hostPrice: number | undefined;
  edgeCpuMs: number;
}

interface Flags extends EngineMeasures {
  rate: number[];
  hitRate: number;
  photos?: number;
  zipf: number;
  ttlDays: number;
  p99Ms: number;
  hostPrice?: number;
  edgeCpuMs: number;
}

/** The command line of `npm run tool -- scaling`. Its measures are those of docs/gpu-service.md. */
export function scalingCommand(scale: (request: ScalingRequest) => void): Command {
  return new Command("npm run tool -- scaling")
    .description("Forecasts how many GPUs or CPU machines a load needs, how long captions take, and what it costs.")
    .addOption(
      new Option("--rate <photos>", "photos requested per second at the busiest time; several, separated by commas")
        .argParser(readRates)
        .default([1, 10, 1000], "1,10,1000"),
    )
    .optionsGroup("The cache:")
    .option("--hit-rate <share>", "share of them that the cache answers", readShare, 0)
    .addOption(
      new Option("--photos <count>", "instead of that: number of different photos, requested by Zipf's law")
        .argParser(readPositive)
        .conflicts("hitRate"),
    )
    .option(
      "--zipf <exponent>",
      "with --photos: 0 if all are equally popular, 1 if a few get most requests",
      readNumber,
      0.8,
    )
    .option("--ttl-days <days>", "how long captions are kept (CACHE_TTL_SECONDS)", readPositive, 30)
    .optionsGroup("An engine, by default two CPU cores; take the times of yours from /metrics:")
    .option("--lone-ms <ms>", "encode and search of one photo", readPositive, 72)
    .option("--batch-ms <ms>", "the same for a full batch", readPositive, 523)
    .option("--max-batch <photos>", "MAX_BATCH", readPhotoCount, 8)
    .option("--decode-ms <ms>", "decoding a photo", readNumber, 7)
    .option("--max-queued <photos>", "MAX_QUEUED", readPhotoCount, 64)
    .optionsGroup("Target and prices:")
    .option("--p99-ms <ms>", "time in which the service captions 99 of 100 misses", readPositive, 1000)
    .option("--host-price <dollars>", "price of an engine's host per hour", readNumber)
    .option("--edge-cpu-ms <ms>", "CPU time of a request at the edge", readPositive, 5)
    .addHelpText("after", examples)
    .exitOverride()
    .action(
      ({ rate, hitRate, photos, zipf, ttlDays, p99Ms, hostPrice, edgeCpuMs, ...engine }: Flags, command: Command) => {
        if (engine.batchMs < engine.loneMs)
          command.error("error: --batch-ms is the time of the whole batch, not less than --lone-ms");
        const measures = engine.maxBatch === 1 ? { ...engine, batchMs: engine.loneMs } : engine;
        const hits = photos === undefined ? hitRate : { photos, exponent: zipf };
        scale({ rates: rate, hits, ttlDays, engine: measures, p99Ms, hostPrice, edgeCpuMs });
      },
    );
}

const examples = `
Examples:
  npm run tool -- scaling --rate 10 --hit-rate 0.8
  npm run tool -- scaling --photos 1000000 --zipf 0.9                                  derives the hit rate from how popular photos are
  npm run tool -- scaling --rate 1000 --lone-ms 6 --batch-ms 12 --host-price 0.80      a GPU that you have measured

docs/scaling.md says what the forecast includes and what it does not.`;

function readRates(text: string): number[] {
  return text.split(",").map(readPositive);
}

function readNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0 && number <= 1e12) return number;
  throw new InvalidArgumentError("Expected a number that is not negative.");
}

function readPositive(text: string): number {
  const number = readNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("Expected a number above 0.");
}

function readShare(text: string): number {
  const share = readNumber(text);
  if (share < 1) return share;
  throw new InvalidArgumentError("Expected a share from 0 to below 1, such as 0.8.");
}
