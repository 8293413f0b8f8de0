import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RunningService, startService } from "../gpu-service/running-service.ts";
import type { ServiceImage } from "./service-image.ts";

export interface RunningContainer extends RunningService {
  /** Runs a command inside, as its user; resolves to its exit code. */
  execute(...command: string[]): Promise<number>;
  /** Ends it whatever it does. */
  destroy(): Promise<void>;
}

/** Where files of this machine are seen inside, read-only. */
export type Mounts = Record<string, string>;

/**
 * Starts an image's service as Docker would with `--read-only --cap-drop=ALL --security-opt=no-new-privileges --network=host`: as the
 * image's user, with nothing to write to. Resolves when the service listens.
 */
export async function startContainer(
  { config, root }: ServiceImage,
  { environment, mounts = {} }: { environment: Record<string, string>; mounts?: Mounts },
): Promise<RunningContainer> {
  const id = `edge-caption-${randomUUID()}`;
  const folder = await mkdtemp(join(tmpdir(), "edge-caption-container-"));
  const env = [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  await writeFile(join(folder, "config.json"), JSON.stringify(runtimeConfig({ config, root }, { env, mounts })));
  const child = spawn("runc", ["run", "--bundle", folder, id], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve)).then(() => rm(folder, { recursive: true }));
  const run = promisify(execFile);
  const service = await startService({}, child);
  return {
    ...service,
    async execute(...command) {
      const { code = 0 } = await run("runc", ["exec", id, ...command]).catch((error) => error);
      return code;
    },
    async stop() {
      await run("runc", ["kill", id, config.StopSignal]);
      return service.exited;
    },
    async destroy() {
      await run("runc", ["delete", "--force", id]);
      await ended;
    },
  };
}

/** The OCI runtime's settings; as strict as a host can be. */
function runtimeConfig(
  { config, root }: Pick<ServiceImage, "config" | "root">,
  { env, mounts }: { env: string[]; mounts: Mounts },
): object {
  const [uid, gid] = config.User.split(":").map(Number);
  const bound = Object.entries(mounts).map(([destination, source]) => {
    return { destination, source, type: "bind", options: ["bind", "ro"] };
  });
  return {
    ociVersion: "1.0.2",
    root: { path: root, readonly: true },
    process: { user: { uid, gid }, args: config.Entrypoint, env, cwd: config.WorkingDir, noNewPrivileges: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
      },
      ...bound,
    ],
    linux: { namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })) },
  };
}
