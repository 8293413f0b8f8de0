import { access, constants, mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { fileErrorReason } from "../files/file-error.ts";
import { invocationFolder } from "../terminal/command-line.ts";
import { showSpinner } from "../terminal/progress.ts";
import { endOnSignal, Interrupted, runProgram, untilAborted } from "../terminal/run-program.ts";
import { repository } from "./repository.ts";
import { captionAt, describeCaption, type FirstPhoto, readPhoto } from "./start/first-caption.ts";
import {
  edgePlaces,
  expectFree,
  type LocalServers,
  preferFree,
  startServers,
  waitUntilReady,
} from "./start/local-servers.ts";

const preferredServicePort = 8788;
const startLimitSeconds = 120;

const samplePhoto = join(repository, "samples/pizza.jpg");

const examples = `
Examples:
  npm start                        caption a photo and stay up
  npm start -- holiday.jpg         caption this photo; the second time, the answer comes from the cache
  npm start -- --once holiday.jpg  caption it and end, for scripts
  npm start -- --port 9000         if 8787 is taken
  npm start -- --var CORS_ORIGINS=http://localhost:5173
                                   let pages of another origin call it, such as an app in development

Both servers listen on this machine only, and share a secret that is made for the run. The edge fetches no addresses
({"url": …}) unless --source-hosts says so, since a public name may lead into your own network.`;

/** `npm start`. Exit codes: 0 ended as asked, 1 something failed, 2 wrong usage, 130 interrupted before the caption. */
await runProgram(startCommand(start));

async function start({ invokedFrom, ...request }: StartRequest): Promise<void> {
  const ending = new AbortController();
  endOnSignal(ending); // before anything is started that could be left over
  const photo = await readPhoto(request.photo, { folder: invokedFrom });
  const stateDir = resolve(invokedFrom, request.stateDir);
  await expectVariables(request.var);
  await expectPlaces([...edgePlaces, stateDir]);
  const edgePort = await expectFree(request.port, { option: "--port" });
  const servers = startServers({
    edgePort,
    servicePort: await servicePortFor(request.servicePort, { edgePort }),
    modelDir: request.modelDir === undefined ? undefined : resolve(invokedFrom, request.modelDir),
    stateDir,
    onEdgeRestart: ({ message }) => process.stderr.write(`${message}\nThe edge is brought up again.\n`),
    variables: { SOURCE_HOSTS: request.sourceHosts, ...request.var },
  });
  void servers.died.then((reason) => ending.abort(reason));
  try {
    await caption(photo, { servers, ending });
    if (!request.once) await stayUp(ending);
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error;
  } finally {
    await servers.stop();
  }
}

async function servicePortFor(port: number | undefined, { edgePort }: { edgePort: number }): Promise<number> {
  const option = "--service-port";
  if (port === edgePort) throw new Error(`expected two ports, received ${port} for both --port and ${option}`);
  if (port !== undefined) return expectFree(port, { option });
  return edgePort === preferredServicePort ? expectFree(0, { option }) : preferFree(preferredServicePort);
}

async function caption(photo: FirstPhoto, { servers, ending }: { servers: LocalServers; ending: AbortController }) {
  const startTimer = setTimeout(
    () => ending.abort(new Error(`service and edge did not caption a photo within ${startLimitSeconds} s`)),
    startLimitSeconds * 1000,
  );
  const hideWaiting = showSpinner("starting the service and the edge…");
  try {
    await waitUntilReady(servers, ending.signal);
    const first = await captionAt(servers.edge, photo, ending.signal);
    hideWaiting();
    process.stdout.write(describeCaption({ ...first, ...servers, photo }));
  } finally {
    hideWaiting();
    clearTimeout(startTimer);
  }
}

async function stayUp(ending: AbortController): Promise<void> {
  process.stdout.write("\nCtrl-C ends both.\n");
  const { signal } = ending;
  await untilAborted(signal);
  if (!(signal.reason instanceof Interrupted)) throw signal.reason;
}

/** Throws a sentence if one of the folders cannot be made or written to: the edge would report it in its own words. */
async function expectPlaces(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
    } catch (cause) {
      const reason = fileErrorReason(cause);
      if (reason === undefined) throw cause;
      throw new Error(`${folder}: npm start has to write files there and cannot: ${reason}`, { cause });
    }
  }
}

/** Throws a sentence about a variable that the edge does not read, or whose value it would refuse at every request. */
async function expectVariables(variables: Record<string, string>): Promise<void> {
  const own = ["SERVICE_ORIGINS", "SERVICE_SECRET"].find((name) => name in variables);
  if (own !== undefined) throw new Error(`--var ${own}: npm start sets it by itself`);
  const source: string = new URL("../edge/settings.ts", import.meta.url).href; // by its address: its types are a Worker's
  const { findBadVariable }: EdgeSettingsModule = await import(source);
  const problem = findBadVariable(variables);
  if (problem !== undefined) throw new Error(`--var ${problem} (docs/edge.md describes the settings)`);
}

interface EdgeSettingsModule {
  findBadVariable(variables: Record<string, string>): string | undefined;
}

/** The options of the command line; paths are relative to `invokedFrom`. */
interface StartRequest {
  photo: string;
  invokedFrom: string;
  once: boolean;
  port: number;
  servicePort: number | undefined;
  modelDir: string | undefined;
  stateDir: string;
  /** Hosts from which the edge fetches photos. */
  sourceHosts: string;
  /** Settings of the edge. */
  var: Record<string, string>;
}

type Flags = Omit<StartRequest, "photo" | "invokedFrom" | "once"> & { once?: boolean };

/** The command line of `npm start`. */
function startCommand(start: (request: StartRequest) => Promise<void>): Command {
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
    .addOption(
      new Option("--var <name=value>", "a setting of the edge, as docs/edge.md describes them; repeatable")
        .argParser(collectVariable)
        .default({}, "none"),
    )
    .addHelpText("after", examples)
    .exitOverride()
    .action((photo: string | undefined, { once = false, ...flags }: Flags) =>
      start({ ...flags, once, photo: photo ?? relative(invokedFrom, samplePhoto), invokedFrom }),
    );
}

function collectVariable(text: string, others: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("Expected a setting of the edge with its value, such as CORS_ORIGINS=*.");
  }
  return { ...others, [name]: value };
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}
