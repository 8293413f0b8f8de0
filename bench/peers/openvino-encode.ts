import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Bundle, defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import type { Precision } from "../../captioner/engine.ts";
import { compileEncoder, compileInt8Encoder } from "../../captioner/onnx/encoder.ts";
import { createOnnxEncoder } from "../../captioner/onnx/engine.ts";
import { precisions } from "../../shared/contract.ts";
import { type Bench, type BenchResult, timeInTurns } from "../bench.ts";

const batches = [1, 8];
const rounds = 9;

export const openvinoEncode: Bench = {
  name: "openvino-encode",
  about:
    "our onnx engine ÷ OpenVINO on the same graph, encode at batch 1 and 8; at most 1.1 (OPENVINO_PYTHON names a Python with openvino)",
  async run() {
    const { OPENVINO_PYTHON: python } = env;
    if (python === undefined) return "OPENVINO_PYTHON names no Python with openvino: docs/performance.md#openvino";
    const bundle = await openBundle(defaultModelDir);
    const results: BenchResult[] = [];
    for (const precision of precisions) results.push(...(await compareWith(python, { bundle, precision })));
    return results;
  },
};

async function compareWith(
  python: string,
  { bundle, precision }: { bundle: Bundle; precision: Precision },
): Promise<BenchResult[]> {
  const { width, height } = bundle.manifest.preprocessing;
  const engine = await createOnnxEncoder(bundle, { precision });
  const folder = await mkdtemp(join(tmpdir(), "openvino-encode-"));
  const graph = join(folder, "encoder.onnx");
  await writeFile(graph, compile(bundle, precision));
  const openvino = await startOpenvino(python, graph);
  try {
    const results: BenchResult[] = [];
    for (const batch of batches) {
      const pixels = Uint8Array.from({ length: batch * height * width * 3 }, (_, index) => (index * 7919) % 251);
      const { oursMs, peerMs } = await timeInTurns(rounds, {
        ours: () => engine.encode(pixels, batch),
        peer: () => openvino.encode(batch),
      });
      const perPhoto = (ms: number) => `${(ms / batch).toFixed(1)} ms a photo`;
      results.push({
        variant: `${precision}-${batch}`,
        number: oursMs / peerMs,
        ours: perPhoto(oursMs),
        peer: perPhoto(peerMs),
      });
    }
    return results;
  } finally {
    openvino.stop();
    await Promise.all([engine.close(), rm(folder, { recursive: true })]);
  }
}

function compile(bundle: Bundle, precision: Precision): Uint8Array {
  const { preprocessing, encoder } = bundle.manifest;
  const spec = { preprocessing, featureSize: encoder.featureSize };
  const ranges = bundle.readRanges();
  if (precision === "float32") return compileEncoder(bundle.readEncoder(), spec);
  if (ranges === undefined) throw new Error(`${bundle.folder}: expected a bundle with ranges for int8`);
  return compileInt8Encoder(bundle.readEncoder(), { ...spec, ...ranges });
}

/** Starts OpenVINO in a process of its own, on as many threads as our engine has; resolves when it has the graph. */
async function startOpenvino(
  python: string,
  graph: string,
): Promise<{ encode(batch: number): Promise<void>; stop(): void }> {
  const program = fileURLToPath(new URL("openvino_encode.py", import.meta.url));
  const child = spawn(python, [program, graph, `${availableParallelism()}`], { stdio: ["pipe", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const expectLine = async (expected: string) => {
    const { value } = await lines.next();
    if (value !== expected) throw new Error(`expected OpenVINO's process to say ${expected}, received ${value}`);
  };
  await expectLine("ready");
  return {
    encode(batch) {
      child.stdin.write(`${batch}\n`);
      return expectLine("done");
    },
    stop() {
      process.off("exit", kill);
      kill();
    },
  };
}
