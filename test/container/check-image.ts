import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { pizzaCaption, pizzaPath } from "../fixtures/real-photos.ts";
import { metricsOf, postCaption, secret } from "../gpu-service/running-service.ts";
import { canBuildImages } from "./buildah.ts";
import { type RunningContainer, startContainer } from "./running-container.ts";
import { buildServiceImage, imageSizes, type ServiceImage } from "./service-image.ts";

interface Expected {
  dockerfile: "Dockerfile" | "Dockerfile.cpu";
  engine: "onnx" | "tensorflow";
  /** Whether it says that it has fallen back where nobody names an engine and there is no GPU. */
  isFallback: boolean;
  /** Mebibytes of the whole image, on the base made here. */
  limit: number;
}

/** Work for a second or two, so that a signal arrives during it. */
const photosAtTheEnd = 16;

/** The largest parts of an image that are printed. */
const shownParts = 5;

/** What holds for either image of the service. */
export function checkImage({ dockerfile, engine, isFallback, limit }: Expected): void {
  describe.skipIf(!canBuildImages)(`the image of ${dockerfile} (needs root, buildah, debootstrap and runc)`, () => {
    let image: ServiceImage;

    beforeAll(async () => {
      image = await buildServiceImage(dockerfile);
    }, 1_200_000);

    afterAll(() => image?.remove(), 300_000);

    const start = (environment: Record<string, string> = {}, mounts = {}): Promise<RunningContainer> =>
      startContainer(image, {
        environment: { PORT: "0", SERVICE_SECRETS: secret, ENGINE: engine, ...environment },
        mounts,
      });

    test("captions a photo over HTTP as its own user on a read-only root, is healthy, and drains on SIGTERM", async () => {
      const container = await start();
      try {
        const ready = await (await fetch(`${container.origin}/readyz`)).json();
        expect(ready).toMatchObject({ engine, device: "cpu" });
        const photo = new Uint8Array(await readFile(pizzaPath));
        const answer = postCaption(container, photo);
        expect(await container.execute("node", "-e", 'require("fs").writeFileSync("/tmp/x", "")')).not.toBe(0);
        const { caption, model } = captionResultSchema.parse(await (await answer).json());
        expect(caption).toBe(pizzaCaption);
        expect(model.id).toBe("everyday-merge");
        const [, ...health] = image.config.Healthcheck.Test;
        const port = new URL(container.origin).port;
        expect(await container.execute("env", `PORT=${port}`, ...health)).toBe(0);
        expect(await container.execute("env", "PORT=1", ...health)).toBe(1);
        const answers = Array.from({ length: photosAtTheEnd }, () => postCaption(container, photo));
        const inHand = `edge_caption_admitted_requests{priority="interactive"} ${photosAtTheEnd}\n`;
        await expect.poll(() => metricsOf(container), { interval: 10, timeout: 10_000 }).toContain(inHand);
        const code = container.stop();
        for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
        expect(await code).toBe(0);
      } finally {
        await container.destroy();
      }
    });

    test("takes another model by MODEL_DIR, and where no engine is named says whether it is a fallback", async () => {
      const container = await start({ ENGINE: "auto", MODEL_DIR: "/models/tiny" }, { "/models/tiny": tinyBundle });
      try {
        const card = await (await fetch(`${container.origin}/v1/model`)).json();
        expect(card).toMatchObject({ id: "tiny" });
        const ready = await (await fetch(`${container.origin}/readyz`)).json();
        expect(ready).toMatchObject({ engine: "onnx", device: "cpu", fallback: isFallback });
        expect(await container.stop()).toBe(0);
      } finally {
        await container.destroy();
      }
    });

    test("says where it listens, as whom, and how it is stopped", () => {
      const { User, Env, StopSignal, ExposedPorts } = image.config;
      expect({ User, StopSignal }).toEqual({ User: "10001:10001", StopSignal: "SIGTERM" });
      expect(Env).toContain("HOST=0.0.0.0");
      expect(Object.keys(ExposedPorts)).toEqual(["8788/tcp"]);
    });

    test("keeps nothing of the registries and certificates that it was built with", async () => {
      const { marker, root, history } = image;
      const search = promisify(execFile)("grep", ["-rlF", marker, root]).catch(({ code, stdout }) => ({
        code,
        stdout,
      }));
      expect(await search).toMatchObject({ code: 1, stdout: "" });
      expect(history).not.toContain(marker);
    });

    test(`is smaller than ${limit} MiB`, async () => {
      const { whole, parts } = await imageSizes(image);
      const largest = parts.slice(0, shownParts).map(([place, size]) => `${place} ${size.toFixed(0)}`);
      const own = parts.reduce((sum, [, size]) => sum + size, 0);
      process.stdout.write(
        `${dockerfile}: ${whole.toFixed(0)} MiB, ${own.toFixed(0)} of them on top of its base: ${largest.join(", ")}\n`,
      );
      expect(whole).toBeLessThan(limit);
    });
  });
}
