import { access, constants, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileErrorReason } from "../files/file-error.ts";
import { showSpinner } from "../terminal/progress.ts";
import { endOnSignal, Interrupted, runProgram, untilAborted } from "../terminal/run-program.ts";
import { type StartRequest, startCommand } from "./start/command.ts";
import { captionAt, describeCaption, type Photo, readPhoto } from "./start/first-caption.ts";
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

/** `npm start`. Exit codes: 0 ended as asked, 1 something failed, 2 wrong usage, 130 interrupted before the caption. */
await runProgram(startCommand(start));

async function start({ invokedFrom, ...request }: StartRequest): Promise<void> {
  const ending = new AbortController();
  endOnSignal(ending); // before there is anything that could be left behind
  const photo = await readPhoto(request.photo, { folder: invokedFrom });
  const stateDir = resolve(invokedFrom, request.stateDir);
  await expectPlaces([...edgePlaces, stateDir]);
  const edgePort = await expectFree(request.port, { option: "--port" });
  const servers = startServers({
    edgePort,
    servicePort: await servicePortFor(request.servicePort, { edgePort }),
    modelDir: request.modelDir === undefined ? undefined : resolve(invokedFrom, request.modelDir),
    stateDir,
    onEdgeRestart: ({ message }) => process.stderr.write(`${message}\nThe edge is brought up again.\n`),
    variables: { SOURCE_HOSTS: request.sourceHosts },
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

async function caption(photo: Photo, { servers, ending }: { servers: LocalServers; ending: AbortController }) {
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

/** Throws a sentence where one of the folders cannot be made or written to: the edge would say it in a language of its own. */
async function expectPlaces(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
    } catch (cause) {
      const reason = fileErrorReason(cause);
      if (reason === undefined) throw cause;
      throw new Error(`${folder}: npm start keeps files there, and cannot: ${reason}`, { cause });
    }
  }
}
