import { nativePackageFolder } from "../captioner/engines/native-setup.ts";
import { say } from "../terminal/progress.ts";
import { endOnSignal, runProgram } from "../terminal/run-program.ts";
import { addCuda, listCuda } from "./setup-native/add-cuda.ts";
import { openCache } from "./setup-native/cache.ts";
import { chooseSource, describeSource } from "./setup-native/choose-source.ts";
import { type SetupRequest, setupCommand } from "./setup-native/command.ts";
import { describeCheck, describeMissingGpu, runFinalCheck } from "./setup-native/final-check.ts";
import { linkBinding } from "./setup-native/link-binding.ts";
import { expectSupported, thisMachine } from "./setup-native/machine.ts";
import { prepareLibrary } from "./setup-native/prepare-library.ts";

/** `npm run setup:native`. Exit codes: 0 set up, 1 something failed, 2 wrong usage, 130 interrupted. */
await runProgram(setupCommand(setUp));

async function setUp(request: SetupRequest): Promise<void> {
  const ending = new AbortController();
  endOnSignal(ending);
  try {
    await setUpNative(request, ending.signal);
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error;
  }
}

async function setUpNative(request: SetupRequest, signal: AbortSignal): Promise<void> {
  const architecture = expectSupported(thisMachine());
  const packageFolder = expectPackage();
  const source = await chooseSource({ ...request, architecture, signal });
  say(describeSource(source));
  if (request.withCuda && source.kind === "cpu")
    throw new Error("expected the library for GPUs with --with-cuda: add --gpu where no GPU is seen");
  const context = { cache: await openCache(request.cacheFolder), architecture, signal };
  const root = await prepareLibrary(source, { ...context, packageFolder, isForced: request.isForced });
  if (request.withCuda) await addCuda({ ...context, root, isUnpinned: request.isUnpinned });
  const libraryPath = await listCuda(root);
  const report = await linkBinding({
    packageFolder,
    root,
    check: () => runFinalCheck({ libraryPath, signal }),
    describe: ({ tensorflow }) => ({ tensorflow, kind: source.kind, root, libraryPath }),
  });
  process.stdout.write(`${describeCheck(report)}\n`);
  if (source.kind === "gpu" && report.device === "cpu") say(describeMissingGpu(report));
}

function expectPackage(): string {
  const folder = nativePackageFolder();
  if (folder !== undefined) return folder;
  throw new Error("expected @tensorflow/tfjs-node-gpu in node_modules, found none: run npm ci without --omit=optional");
}
