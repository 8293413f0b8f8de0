import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** The processes that one has started itself, the eldest first. */
export function childrenOf(pid: number): number[] {
  const children = processes().filter(({ parent }) => parent === pid);
  return children.sort((one, other) => one.begun - other.begun || one.pid - other.pid).map((child) => child.pid);
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

/** The file name of a process' program, empty when it has ended. */
export function programOf(pid: number): string {
  try {
    if (existsSync("/proc/self/comm")) return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return basename(execFileSync("ps", ["-p", String(pid), "-o", "comm="], { encoding: "utf8" }).trim());
  } catch {
    return "";
  }
}

interface Process {
  pid: number;
  parent: number;
  /** Grows with the time of its start: numbers of processes begin anew at some point. */
  begun: number;
}

function processes(): Process[] {
  return existsSync("/proc/self/stat") ? processesOfLinux() : processesOfPs();
}

/** Slim containers have no `ps`. Fields after the command's name, which may hold anything: state, parent, …, and as the 22nd of all the start (proc(5)). */
function processesOfLinux(): Process[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const fields = readStat(pid).split(") ").at(-1)?.split(" ") ?? [];
    const [state, parent] = fields;
    return state === undefined || parent === undefined || state === "Z"
      ? []
      : [{ pid: Number(pid), parent: Number(parent), begun: Number(fields[19]) }];
  });
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return ""; // it ended since the folder was listed
  }
}

function processesOfPs(): Process[] {
  const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } } as const;
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,state=,lstart="], options).trim().split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, state = "", ...begun] = line.trim().split(/\s+/);
    return state.startsWith("Z")
      ? []
      : [{ pid: Number(pid), parent: Number(parent), begun: Date.parse(begun.join(" ")) }];
  });
}
