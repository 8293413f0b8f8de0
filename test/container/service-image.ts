import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as z from "zod";
import { buildSecrets } from "./build-secrets.ts";
import { buildah } from "./buildah.ts";
import { debianBase } from "./debian-base.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

const configSchema = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Entrypoint: z.array(z.string()),
  WorkingDir: z.string(),
  StopSignal: z.string(),
  ExposedPorts: z.record(z.string(), z.unknown()),
  Healthcheck: z.object({ Test: z.array(z.string()) }),
});
type ImageConfig = z.infer<typeof configSchema>;

export interface ServiceImage {
  config: ImageConfig;
  /** The image's files, laid out; nobody writes there. */
  root: string;
  /** Was in the settings of registries that the build was given. */
  marker: string;
  /** What `docker history` would show. */
  history: string;
  remove(): Promise<void>;
}

/** Builds one of the service's Dockerfiles on a base made here, and lays its files out. */
export async function buildServiceImage(dockerfile: "Dockerfile" | "Dockerfile.cpu"): Promise<ServiceImage> {
  const base = await debianBase();
  const folder = await mkdtemp(join(tmpdir(), "edge-caption-image-"));
  const marker = randomUUID();
  try {
    const image = await buildah(
      ...["build", "--quiet", "--format", "docker", "--layers=false", "--network=host", "--pull=never"],
      ...["--build-arg", `BASE=${base}`, ...(dockerfile === "Dockerfile" ? ["--build-arg", `NODE=${base}`] : [])],
      ...(await buildSecrets(folder, marker)),
      ...["--file", join(repository, "gpu-service", dockerfile), repository],
    );
    const described = await buildah("inspect", "--type", "image", image);
    const { Docker } = z
      .object({ Docker: z.object({ config: configSchema, history: z.unknown() }) })
      .parse(JSON.parse(described));
    const container = await buildah("from", "--pull=never", image);
    return {
      config: Docker.config,
      root: await buildah("mount", container),
      marker,
      history: JSON.stringify(Docker.history),
      async remove() {
        await buildah("rm", container);
        await buildah("rmi", image);
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const mebibyte = 2 ** 20;

/** Mebibytes of the whole image, and of what the service's stage copied into it by folder, largest first. */
export async function imageSizes({ root }: ServiceImage): Promise<{ whole: number; parts: [string, number][] }> {
  const folders = ["app/lib", "app/models", "opt/edge-caption"];
  const packages = await readdir(join(root, "app/node_modules"));
  const places = [...folders, ...packages.map((name) => `app/node_modules/${name}`)];
  const sizes = await Promise.all(
    places.map(async (place): Promise<[string, number]> => [place, await sizeOf(join(root, place))]),
  );
  return { whole: await sizeOf(root), parts: sizes.sort(([, one], [, other]) => other - one) };
}

async function sizeOf(path: string): Promise<number> {
  const { stdout } = await promisify(execFile)("du", ["-s", "--bytes", "--one-file-system", path]).catch(() => ({
    stdout: "0",
  }));
  return Number.parseInt(stdout, 10) / mebibyte;
}
