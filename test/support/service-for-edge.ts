import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readD1Migrations } from "@cloudflare/vitest-pool-workers";
import type { TestProject } from "vitest/node";
import { buildPage } from "../../scripts/page/build-page.ts";
import { repository } from "../../scripts/repository.ts";
import type { ImageName } from "../edge/provided-context.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { heicHeader, hugePng, madeImage, svgFile, textFile, truncatedJpeg } from "../fixtures/made-images.ts";
import { startService } from "../gpu-service/running-service.ts";
import { startFaultyServices } from "./faulty-services.ts";
import { keepOutput } from "./kept-output.ts";
import { secretMark } from "./leaks.ts";
import { startPhotoSources } from "./photo-sources.ts";

/** Starts, for the tests inside workerd, what can only run in Node: the real service, services gone wrong, a site with photos. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildPage(); // wrangler.toml names its folder, which a bare clone does not have
  const serviceSecret = `${secretMark}-${randomBytes(32).toString("hex")}`;
  const [service, faulty, sources] = await Promise.all([
    startService({}, spawnSources({ SERVICE_SECRETS: serviceSecret, ALLOW_HEIC: "true" })),
    startFaultyServices(),
    startPhotoSources(),
  ]);
  project.provide("serviceOrigin", service.origin);
  project.provide("serviceSecret", serviceSecret);
  project.provide("faultyServices", faulty.origins);
  project.provide("photoSources", sources.origin);
  project.provide("jobsMigrations", await readD1Migrations(join(repository, "edge/jobs/migrations")));
  project.provide("images", await encodeImages());
  return async () => {
    await Promise.all([service.stop(), faulty.stop(), sources.stop()]);
  };
}

/** Base64 by `ImageName`: sharp, which makes them, does not run in workerd. */
async function encodeImages(): Promise<Record<string, string>> {
  const files: Record<ImageName, Uint8Array | Promise<Uint8Array>> = {
    photo: readFile(new URL("../fixtures/photos/astronaut.jpg", import.meta.url)),
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
    heicPhoto: readFile(new URL("../fixtures/photos/coffee.heic", import.meta.url)),
    text: textFile(),
  };
  const encoded = Object.entries(files).map(async ([name, file]) => [name, Buffer.from(await file).toString("base64")]);
  return Object.fromEntries(await Promise.all(encoded));
}

/** From its sources: what the tests in Node start is still being built. */
function spawnSources(environment: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", "gpu-service/main.ts"], {
    cwd: repository,
    env: { ...process.env, PORT: "0", MODEL_DIR: tinyBundle, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepOutput(child, "service-for-edge");
  child.stderr.pipe(process.stderr, { end: false });
  return child;
}
