import { spawnSync } from "node:child_process";
import { open, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault, Scene } from "../fault.ts";
import { shortened } from "../test-deployment.ts";
import { restartSeconds } from "./service.ts";

const sizeMb = 32;
const chunk = new Uint8Array(2 ** 20);
/** Mounts the directory, fills it if the marker file is there, and runs the program. */
const script = `mkdir -p "$TMPDIR" && mount -t tmpfs -o size=${sizeMb}m none "$TMPDIR" || exit 1
[ -e "$TMPDIR.is-full" ] && cat /dev/zero > "$TMPDIR/filler" 2>/dev/null
exec "$@"`;

export const fillTmp: Fault = {
  name: "fill-tmp",
  about: "the service's temporary directory is filled to its last byte; then its engine is killed, then the service",
  promise: "the service needs no disk to write on: as with kill-engine and kill-service",
  mayRefuse: ["upstream_error", "overloaded"],
  recoverySeconds: restartSeconds + shortened.restSeconds,
  obstacle: () => (canMount() ? undefined : "it needs unshare and the right to mount, for a file system of its own"),
  service: ({ args, environment, name }, folder) => ({
    name,
    program: "unshare",
    args: ["--map-root-user", "--mount", "sh", "-c", script, "sh", process.execPath, ...args],
    environment: { ...environment, TMPDIR: temporaryDirectory(folder) },
  }),
  async run(scene) {
    const { deployment, folder } = scene;
    const { kept } = deployment.service;
    await fill(join(seenFromHere(scene), "filler"));
    await scene.hold(3);
    expectNothingRefused(scene, "while the directory is full");
    process.kill(deployment.engine, "SIGKILL");
    await scene.hold(5);
    expectNothingRefused(scene, "though an engine is replaced while the directory is full");
    await writeFile(`${temporaryDirectory(folder)}.is-full`, "");
    process.kill(kept.pid, "SIGKILL");
    scene.mended();
    await deployment.untilReady(deployment.service);
    const { bfree } = await statfs(seenFromHere(scene));
    scene.expect(kept.endings.length === 1 && bfree === 0, "the service starts with a full directory");
  },
};

/** Whether a mount works here, tried in a namespace of its own. */
function canMount(): boolean {
  const mount = ["mount", "-t", "tmpfs", "none", tmpdir()];
  return spawnSync("unshare", ["--map-root-user", "--mount", ...mount]).status === 0;
}

function temporaryDirectory(folder: string): string {
  return join(folder, "tmp");
}

/** Returns the path by which this process sees the service's directory, which is in the service's own namespace. */
function seenFromHere({ deployment, folder }: Scene): string {
  return join(`/proc/${deployment.service.kept.pid}/root`, temporaryDirectory(folder));
}

function expectNothingRefused({ requests, expect }: Scene, when: string): void {
  expect(
    requests.every(({ verdict }) => verdict.kind === "answered"),
    `nothing is refused ${when}`,
  );
}

async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for (let written = 0; written <= sizeMb; written++) await file.writeFile(chunk);
    throw new Error(`expected ${path} to have room for less than ${sizeMb} MiB`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    await file.close();
  }
}
