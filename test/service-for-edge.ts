import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import * as z from "zod";
import { buildPage } from "../scripts/page/build-page.ts";
import type { ImageName } from "./edge/provided-context.ts";
import { startFaultyServices } from "./faulty-services.ts";
import { heicHeader, hugePng, madeImage, svgFile, textFile, truncatedJpeg } from "./fixtures/made-images.ts";
import { keepOutput } from "./kept-output.ts";
import { secretMark } from "./leaks.ts";
import { startPhotoSources } from "./photo-sources.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const listeningSchema = z.object({ msg: z.literal("listening"), port: z.int() });

/** Starts, for the tests inside workerd, what can only run in Node: the real service, services gone wrong, a site with photos. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildPage(); // wrangler.toml names its folder, which a bare clone does not have
  const serviceSecret = `${secretMark}-${randomBytes(32).toString("hex")}`;
  const [service, faulty, sources] = await Promise.all([
    startService(serviceSecret),
    startFaultyServices(),
    startPhotoSources(),
  ]);
  project.provide("serviceOrigin", service.origin);
  project.provide("serviceSecret", serviceSecret);
  project.provide("faultyServices", faulty.origins);
  project.provide("photoSources", sources.origin);
  project.provide("images", await encodeImages());
  return async () => {
    await Promise.all([service.stop(), faulty.stop(), sources.stop()]);
  };
}

/** Base64 by `ImageName`: sharp, which makes them, does not run in workerd. */
async function encodeImages(): Promise<Record<string, string>> {
  const files: Record<ImageName, Uint8Array | Promise<Uint8Array>> = {
    photo: readFile(new URL("fixtures/photos/astronaut.jpg", import.meta.url)),
    jpeg: madeImage("jpeg"),
    png: madeImage("png"),
    webp: madeImage("webp"),
    gif: madeImage("gif"),
    avif: madeImage("avif"),
    tiff: madeImage("tiff"),
    truncatedJpeg: truncatedJpeg(),
    hugePng: hugePng(),
    svg: svgFile(),
    heic: heicHeader(),
    heicPhoto: readFile(new URL("fixtures/photos/coffee.heic", import.meta.url)),
    text: textFile(),
  };
  const encoded = Object.entries(files).map(async ([name, file]) => [name, Buffer.from(await file).toString("base64")]);
  return Object.fromEntries(await Promise.all(encoded));
}

/** `gpu-service/main.ts` on the tiny bundle and a free port; resolves when it says that it listens. */
async function startService(secret: string): Promise<{ origin: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, ["--import", "tsx", "gpu-service/main.ts"], {
    cwd: repository,
    env: {
      ...process.env,
      PORT: "0",
      MODEL_DIR: "test/fixtures/tiny-bundle",
      SERVICE_SECRETS: secret,
      ALLOW_HEIC: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepOutput(child, "service-for-edge");
  child.stderr.pipe(process.stderr, { end: false });
  const exited = once(child, "exit");
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const listening = listeningSchema.safeParse(JSON.parse(line));
      if (listening.success) resolve(listening.data.port);
    });
    void exited.then(([code]) => reject(new Error(`the service ended before it listened, with exit code ${code}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  return { origin: `http://127.0.0.1:${port}`, stop };
}
