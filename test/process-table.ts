import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The processes that one has started itself, the eldest first. */
export function childrenOf(pid: number): number[] {
  const children = processes().filter(({ parent }) => parent === pid);
  return children.map((child) => child.pid).sort((one, other) => one - other);
}

/** Every process below one. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Those of the processes that still run; a zombie does not. */
export function aliveOf(pids: readonly number[]): number[] {
  const alive = new Set(processes().map(({ pid }) => pid));
  return pids.filter((pid) => alive.has(pid));
}

function processes(): { pid: number; parent: number }[] {
  return existsSync("/proc/self/stat") ? processesOfLinux() : processesOfPs();
}

/** Slim containers have no `ps`. Fields after the command's name, which may hold anything: state, parent, … (proc(5)). */
function processesOfLinux(): { pid: number; parent: number }[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const [state, parent] = readStat(pid).split(") ").at(-1)?.split(" ") ?? [];
    return state === undefined || parent === undefined || state === "Z"
      ? []
      : [{ pid: Number(pid), parent: Number(parent) }];
  });
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return ""; // it ended since the folder was listed
  }
}

function processesOfPs(): { pid: number; parent: number }[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,state="], { encoding: "utf8" }).trim().split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, state = ""] = line.trim().split(/\s+/);
    return state.startsWith("Z") ? [] : [{ pid: Number(pid), parent: Number(parent) }];
  });
}
