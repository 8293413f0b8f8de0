import { join, relative } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { invocationFolder } from "../../terminal/command-line.ts";
import { repository } from "../repository.ts";

const samplePhoto = join(repository, "test/fixtures/photos/chelsea.jpg");

/** What was asked for on the command line; paths are relative to `invokedFrom`. */
export interface StartRequest {
  photo: string;
  invokedFrom: string;
  once: boolean;
  port: number;
  servicePort: number | undefined;
  modelDir: string | undefined;
  stateDir: string;
  /** From which hosts the edge fetches photos. */
  sourceHosts: string;
}

type Flags = Omit<StartRequest, "photo" | "invokedFrom" | "once"> & { once?: boolean };

/** The command line of `npm start`. */
export function startCommand(start: (request: StartRequest) => Promise<void>): Command {
  const invokedFrom = invocationFolder();
  return new Command("npm start --")
    .description("Brings up the captioning service and the edge in front of it, and captions a photo through both.")
    .argument("[photo]", "JPEG, PNG, WebP, GIF, AVIF or TIFF file; without it, one that comes with this repository")
    .option("--once", "end after the caption instead of staying up until Ctrl-C")
    .option("--port <n>", "port of the edge; 0 takes any that is free", readPort, 8787)
    .option("--service-port <n>", "port of the service (default: 8788, or any if that is taken)", readPort)
    .option("--model-dir <folder>", "model bundle to caption with (default: the one that ships)")
    .addOption(
      new Option("--state-dir <folder>", "where the edge keeps its cache between runs").default(
        join(repository, ".wrangler/state"),
        ".wrangler/state",
      ),
    )
    .option("--source-hosts <list>", "hosts that photos may be fetched from by address: any, none, or a list", "none")
    .addHelpText("after", examples)
    .exitOverride()
    .action((photo: string | undefined, { once = false, ...flags }: Flags) =>
      start({ ...flags, once, photo: photo ?? relative(invokedFrom, samplePhoto), invokedFrom }),
    );
}

const examples = `
Examples:
  npm start                        caption a photo and stay up
  npm start -- holiday.jpg         caption this one; the second time, the answer comes from the cache
  npm start -- --once holiday.jpg  caption it and end, for scripts
  npm start -- --port 9000         where 8787 is taken

Both servers listen on this machine only, and share a secret that is made for the run. The edge fetches no addresses
({"url": …}) unless --source-hosts says so, since a public name may lead into your own network.`;

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}
