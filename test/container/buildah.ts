import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isProgramThere } from "../fixtures/programs.ts";

/** What builds images and runs them without a daemon; as root, which a build server is. */
export const canBuildImages = ["buildah", "debootstrap", "runc"].every(isProgramThere) && process.getuid?.() === 0;

/** Images, layers and what a build fetches, apart from those of the machine's own buildah. */
export const containerCache = join(
  process.env.EDGE_CAPTION_CACHE ?? join(homedir(), ".cache/edge-caption"),
  "containers",
);

/** Runs buildah on the test's own storage, plainly: no daemon, no overlay, no namespaces of users. */
export async function buildah(...args: string[]): Promise<string> {
  await mkdir(containerCache, { recursive: true });
  const places = ["--root", join(containerCache, "storage"), "--runroot", join(containerCache, "run")];
  const env = { ...process.env, STORAGE_DRIVER: "vfs", BUILDAH_ISOLATION: "chroot" };
  try {
    const { stdout } = await promisify(execFile)("buildah", [...places, ...args], { env, maxBuffer: 2 ** 26 });
    return stdout.trim();
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    throw new Error(`buildah ${args[0]} failed:\n${output.split("\n").slice(-40).join("\n")}`, { cause: error });
  }
}
