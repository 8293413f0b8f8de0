import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import * as z from "zod";
import { say } from "../../terminal/progress.ts";
import type { Architecture, Kind } from "./checksums.ts";

const architectures: Record<string, Architecture> = { x64: "x86_64", arm64: "aarch64" };
const reportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

const driverLibraries = ["x86_64-linux-gnu", "aarch64-linux-gnu", "../lib64"].map(
  (folder) => `/usr/lib/${folder}/libcuda.so.1`,
);

/** The facts about a machine that a setup depends on. */
interface Machine {
  platform: string;
  /** Node's name of the architecture. */
  arch: string;
  /** Version of glibc; undefined with another C library, as on Alpine. */
  glibc: string | undefined;
}

/** Describes the machine that this process runs on. */
export function thisMachine(): Machine {
  const { header } = reportSchema.parse(process.report.getReport());
  const { platform, arch } = process;
  return { platform, arch, glibc: header.glibcVersionRuntime };
}

/** Returns the wheels' name of the machine's architecture. Throws a sentence if no wheel or no binding can run on it. */
export function expectSupported({ platform, arch, glibc }: Machine): Architecture {
  const architecture = architectures[arch];
  if (platform === "linux" && glibc !== undefined && architecture !== undefined) return architecture;
  const found = `${platform} on ${arch}${platform === "linux" && glibc === undefined ? " without glibc" : ""}`;
  throw new Error(
    `expected Linux with glibc on x64 or arm64, running ${found}: TensorFlow's library cannot be had for it; the default engine needs none`,
  );
}

/** Detects which kind of library suits this machine. */
export function detectKind(): Kind {
  const signs = ["/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1", ...driverLibraries];
  const found = signs.find((path) => existsSync(path)) ?? findProgram("nvidia-smi");
  say(found === undefined ? "no NVIDIA GPU was seen (--gpu chooses its library all the same)" : `found ${found}`);
  return found === undefined ? "cpu" : "gpu";
}

/** Finds a program's path as a shell would. */
function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Throws a sentence that names the missing programs that node-gyp needs. */
export function expectToolchain(): void {
  const programs = [...(process.env.CXX === undefined ? ["g++"] : []), "make", "python3"];
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0)
    throw new Error(
      `expected ${programs.join(", ")} to build the binding with, found no ${missing.join(" and no ")}: install them (Debian, Ubuntu: apt-get install g++ make python3)`,
    );
}

/** Finds the running Node's own headers, for node-gyp's `nodedir`; without them node-gyp fetches some. */
export function findNodeHeaders(executable = process.execPath): string | undefined {
  const prefix = dirname(dirname(realpathSync(executable)));
  return existsSync(join(prefix, "include/node/node_api.h")) ? prefix : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
