import { existsSync } from "node:fs";
import { cp, mkdir, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { extract } from "tar";
import { say } from "../../terminal/progress.ts";
import { unpackZip } from "./unpack-zip.ts";

/** The headers that the binding includes, directly or not, in TensorFlow 2.15 to 2.21. The whole folder is fifty times as large. */
const headers = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/", "xla/tsl/"];
const library = /^libtensorflow(_cc|_framework)?\.so(\.[\d.]+)?$/;

/** The files that the binding is compiled and linked with, and their paths in a wheel. */
const needed = [
  { path: "include/tensorflow/c/c_api.h", inWheel: "tensorflow/include/tensorflow/c/c_api.h" },
  { path: "include/tensorflow/c/eager/c_api.h", inWheel: "tensorflow/include/tensorflow/c/eager/c_api.h" },
  { path: "lib/libtensorflow.so", inWheel: "tensorflow/libtensorflow_cc.so.2" },
  { path: "lib/libtensorflow_framework.so", inWheel: "tensorflow/libtensorflow_framework.so.2" },
];

interface Layout {
  /** Folder for `deps/include` and `deps/lib`, which the binding searches, and a wheel's METADATA. */
  root: string;
  signal: AbortSignal;
}

/** Lays TensorFlow's headers and libraries out as the binding expects them. Throws a sentence that names what is missing. */
export async function layOutLibrary(from: string, { root, signal }: Layout): Promise<void> {
  const deps = join(root, "deps");
  await mkdir(join(deps, "lib"), { recursive: true });
  if (from.endsWith(".whl")) await unpackZip(from, { into: root, place: placeOfMember, signal });
  else if (/\.(tar\.gz|tgz)$/.test(from)) await unpackArchive(from, deps);
  else if ((await stat(from)).isDirectory()) await copyFolder(from, deps);
  else throw new Error(`${from}: expected a wheel (.whl), an archive (.tar.gz) or a folder`);
  await linkLibraries(join(deps, "lib"));
  const missing = needed.find(({ path }) => !existsSync(join(deps, path)));
  if (missing !== undefined) throw new Error(`${from}: expected ${missing.inWheel} in it, found none`);
}

function placeOfMember(member: string): string | undefined {
  if (/^[^/]+\.dist-info\/METADATA$/.test(member)) return "METADATA";
  const path = member.replace(/^tensorflow\//, "");
  if (path === member) return undefined;
  if (library.test(path)) return `deps/lib/${path}`;
  return headers.some((folder) => path.startsWith(`include/${folder}`)) ? `deps/${path}` : undefined;
}

async function unpackArchive(archive: string, deps: string): Promise<void> {
  say(`unpacking ${archive}`);
  try {
    await extract({
      file: archive,
      cwd: deps,
      strict: true,
      filter: (path) => /^(\.\/)?(include|lib)(\/|$)/.test(path),
    });
  } catch (cause) {
    throw new Error(`${archive}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Copies from an unpacked wheel or `site-packages`, its `tensorflow` folder, or an unpacked archive. */
async function copyFolder(folder: string, deps: string): Promise<void> {
  const layouts = [
    { include: "tensorflow/include", lib: "tensorflow" },
    { include: "include", lib: "." },
    { include: "include", lib: "lib" },
  ];
  for (const { include, lib } of layouts) {
    const names = await readdir(join(folder, lib)).catch(() => []);
    const libraries = names.filter((name) => library.test(name));
    if (libraries.length === 0) continue;
    say(`copying ${libraries.join(", ")} from ${folder}`);
    const copies = [
      ...libraries.map((name) => ({ from: join(folder, lib, name), to: join(deps, "lib", name) })),
      ...headers.map((path) => ({ from: join(folder, include, path), to: join(deps, "include", path) })),
    ].filter(({ from }) => existsSync(from));
    for (const { from, to } of copies) await cp(from, to, { recursive: true, verbatimSymlinks: true });
    return;
  }
  throw new Error(`${folder}: expected tensorflow/libtensorflow_cc.so.2 in it, found none`);
}

/** Links the names that the binding is linked with (`-ltensorflow -ltensorflow_framework`) to those in wheels. */
async function linkLibraries(lib: string): Promise<void> {
  const links = [
    { name: "libtensorflow.so", target: "libtensorflow_cc.so.2" },
    { name: "libtensorflow_framework.so", target: "libtensorflow_framework.so.2" },
  ];
  for (const { name, target } of links)
    if (!existsSync(join(lib, name)) && existsSync(join(lib, target))) await symlink(target, join(lib, name));
}
