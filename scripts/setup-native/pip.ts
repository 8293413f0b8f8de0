import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Architecture, FilePin } from "./checksums.ts";
import { complaintOf, runCommand } from "./run-command.ts";

/** pip matches these exactly: the wheels' own, then those of newer ones. */
const platforms = ["manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28"];
/** Of the wheels that are pinned; it need not be the Python that runs pip. */
const pythonVersion = "3.11";

const candidates = [["python3", "-m", "pip"], ["pip3"], ["pip"]] as const;
const tried = candidates.map((words) => words.join(" ")).join(", ");

export interface Wheel {
  package: string;
  version: string;
  pin: FilePin | undefined;
}

interface Request {
  architecture: Architecture;
  /** An empty folder. */
  folder: string;
  /** What to do where pip cannot. */
  advice: string;
  signal: AbortSignal;
}

/**
 * Fetches a wheel through pip, which knows the user's package index, proxy and certificates, and returns its path.
 * Throws a sentence where there is no pip, or where it cannot fetch.
 */
export async function fetchWheel(wheel: Wheel, { architecture, folder, advice, signal }: Request): Promise<string> {
  const pip = await findPip(signal);
  if (pip === undefined)
    throw new Error(
      `expected pip to fetch ${wheel.package} with, found none (tried ${tried}): install it, or ${advice}`,
    );
  const [command, ...args] = pip;
  const requirement = `${wheel.package}==${wheel.version}`;
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, [requirement, ...hashOptions(wheel)].join(" "));
  const { hasSucceeded, ending, output } = await runCommand({
    command,
    args: [
      ...args,
      ...["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"],
      "--no-cache-dir", // the wheel is kept already, and large
      ...["--python-version", pythonVersion],
      ...platforms.flatMap((platform) => ["--platform", `${platform}_${architecture}`]),
      ...["--dest", folder, "--requirement", requirements],
    ],
    environment: { ...process.env, TMPDIR: folder }, // /tmp may be small, and this folder is cleared away
    signal,
    showsOutput: true,
  });
  const file = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (hasSucceeded && file !== undefined) return join(folder, file);
  throw new Error(
    `pip could not fetch ${requirement} (it ended with ${ending}: ${complaintOf(output)}): see that its package index can be reached, or ${advice}`,
  );
}

/** With a hash in the requirement, pip demands it. */
function hashOptions({ pin }: Wheel): string[] {
  return pin === undefined ? [] : [`--hash=sha256:${pin.sha256}`];
}

async function findPip(signal: AbortSignal): Promise<readonly [string, ...string[]] | undefined> {
  for (const [command, ...args] of candidates) {
    const { hasSucceeded } = await runCommand({ command, args: [...args, "--version"], signal });
    if (hasSucceeded) return [command, ...args];
  }
  return undefined;
}
