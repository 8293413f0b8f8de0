import { terminalText } from "../shared/terminal-text.ts";
import { say } from "../terminal/progress.ts";
import { endOnSignal, runProgram } from "../terminal/run-program.ts";
import { convertKerasWeights } from "../training/keras/convert-weights.ts";
import { encoderRelease } from "../training/keras/release.ts";
import { type EncoderRequest, encoderCommand } from "./encoder/command.ts";
import { fetchWeights } from "./encoder/fetch-weights.ts";
import { describeBytes } from "./setup-native/progress.ts";

/** `npm run tool -- encoder`. Exit codes: 0 made, 1 something failed, 2 wrong usage, 130 interrupted. */
await runProgram(encoderCommand(makeEncoder));

async function makeEncoder({ folder, isQuantized, licence, ...source }: EncoderRequest): Promise<void> {
  const weightsPath = source.weightsPath ?? (await fetchRelease(source));
  say(`reading ${weightsPath}`);
  const { manifest, revision, readEncoder } = await convertKerasWeights({ weightsPath, folder, isQuantized, licence });
  const size = describeBytes(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0));
  const { length } = readEncoder().layers;
  process.stdout.write(
    `${terminalText(`${manifest.id}, revision ${revision}, ${length} layers, ${size}, in ${folder}`)}\n`,
  );
  say(`a decoder for it: npm run train -- --encoder ${folder} --data <captions> --out <folder>`);
}

async function fetchRelease(source: Pick<EncoderRequest, "address" | "cacheFolder">): Promise<string> {
  const ending = new AbortController();
  endOnSignal(ending);
  try {
    return await fetchWeights({ release: encoderRelease, ...source, signal: ending.signal });
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error;
  }
}
