import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestSchema } from "../../../../shared/manifest.ts";
import type { Fault, Scene } from "../fault.ts";
import { shortened } from "../test-deployment.ts";
import { restartSeconds } from "./service.ts";

export const corruptBundle: Fault = {
  name: "corrupt-bundle",
  about:
    "a byte of the decoder's weights is changed on disk; a second service is started on it, then the engine is killed; finally the byte is restored",
  promise:
    "the running service continues; a starting one refuses, naming the file; without an engine the service ends, and the edge answers what is cached",
  mayRefuse: ["upstream_error", "overloaded"],
  recoverySeconds: restartSeconds + shortened.restSeconds,
  async run(scene) {
    const { deployment, hold, expect, note, mended } = scene;
    const file = await decoderWeights(scene);
    await flipByte(file);

    const second = await deployment.startBeside(scene.modelDir);
    await scene.until(() => second.kept.endings.length > 0, {
      seconds: restartSeconds,
      what: "a second service refuses to start",
    });
    await second.kept.stop();
    expect(
      second.kept.endings.every((ending) => ending.includes(file)),
      "it names the file",
    );
    note(`the second service: ${withoutFolder(second.kept.endings[0], scene)}`);
    expect(
      scene.requests.every(({ verdict }) => verdict.kind === "answered"),
      "the one that runs goes on",
    );

    const { kept } = deployment.service;
    process.kill(deployment.engine, "SIGKILL");
    await scene.until(() => kept.endings.length > 1, {
      seconds: 2 * restartSeconds,
      what: "the service ends, and refuses to start again",
    });
    expect(
      kept.endings.every((ending) => ending.includes(file)),
      "it names the file each time",
    );
    note(`the first service: ${withoutFolder(kept.endings[0], scene)}`);
    await hold(2);

    await flipByte(file);
    mended();
    await deployment.untilReady(deployment.service);
  },
};

async function decoderWeights({ modelDir }: Scene): Promise<string> {
  const { decoder, files } = manifestSchema.parse(JSON.parse(await readFile(join(modelDir, "manifest.json"), "utf8")));
  const weights = files.find(({ path }) => path.startsWith("decoder/") && path !== decoder.topology);
  if (weights === undefined) throw new Error("expected the decoder to have a file of weights");
  return join(modelDir, weights.path);
}

/** Done twice, nothing has changed. */
async function flipByte(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, 1000);
    await file.write(
      byte.map((value) => value ^ 0xff),
      0,
      1,
      1000,
    );
  } finally {
    await file.close();
  }
}

function withoutFolder(ending: string | undefined, { modelDir }: Scene): string {
  return ending?.replaceAll(`${modelDir}/`, "") ?? "did not end";
}
