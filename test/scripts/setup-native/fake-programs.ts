import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";

interface Programs {
  /** The file that pip hands out; without one it fails as it does without a network. */
  wheel?: string;
  pip?: "absent";
  compiler?: "absent";
}

/**
 * Stands in for pip, the compiler and node-gyp, and for nothing else, at the border where they are started. Returns
 * a look at what they were called with.
 */
export async function useFakePrograms(
  folder: string,
  { wheel, pip, compiler }: Programs = {},
): Promise<() => Promise<string[]>> {
  const programs = join(folder, "programs");
  const calls = join(folder, "calls.txt");
  await mkdir(programs);
  await writeFile(calls, "");
  const write = async (name: string, text: string) => {
    await writeFile(join(programs, name), text);
    await chmod(join(programs, name), 0o755);
  };
  await write("python3", pip === "absent" ? "#!/bin/sh\nexit 1\n" : fakePip({ calls, wheel }));
  if (compiler !== "absent") for (const name of ["g++", "make"]) await write(name, "#!/bin/sh\n");
  await write("node-gyp.cjs", fakeNodeGyp({ calls }));
  vi.stubEnv("PATH", programs);
  vi.stubEnv("CXX", undefined);
  vi.stubEnv("npm_config_node_gyp", join(programs, "node-gyp.cjs"));
  onTestFinished(() => void vi.unstubAllEnvs());
  return async () => (await readFile(calls, "utf8")).split("\n").filter((call) => call !== "");
}

function fakePip({ calls, wheel }: { calls: string; wheel: string | undefined }): string {
  return `#!/bin/sh
[ "$3" = --version ] && exit 0
echo "pip $*" >> '${calls}'
while [ $# -gt 0 ]; do
  [ "$1" = --dest ] && folder="$2"
  [ "$1" = --requirement ] && requirement="$2"
  shift
done
read -r line < "$requirement"
echo "requirement $line" >> '${calls}'
${wheel === undefined ? 'echo "ERROR: Could not find a version (from versions: none)" >&2; exit 1' : `/bin/cp '${wheel}' "$folder"/`}
`;
}

/** Builds what a made library asks for; fails like a compiler if a header says so. */
function fakeNodeGyp({ calls }: { calls: string }): string {
  return `const fs = require("node:fs");
const path = require("node:path");
const [command] = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(calls)}, "node-gyp " + command + "\\n");
fs.mkdirSync("build", { recursive: true }); // node-pre-gyp moves it about
if (command === "build") {
  if (fs.readFileSync("deps/include/tensorflow/c/c_api.h", "utf8") === "broken") {
    console.error("c_api.h:1: error: broken");
    process.exit(1);
  }
  const binding = process.argv.find((argument) => argument.startsWith("--module=")).slice("--module=".length);
  fs.mkdirSync(path.dirname(binding), { recursive: true });
  fs.writeFileSync(binding, "the binding");
}
`;
}
