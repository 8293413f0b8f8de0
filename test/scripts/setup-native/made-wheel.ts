import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import type { LibraryPin } from "../../../scripts/setup-native/checksums.ts";

export type Members = Record<string, string | Buffer>;

/** What a setup takes of TensorFlow's wheel, with contents that only say what they are. */
export const tensorflowMembers: Members = {
  "tensorflow/libtensorflow_cc.so.2": "the library",
  "tensorflow/libtensorflow_framework.so.2": "the framework",
  "tensorflow/include/tensorflow/c/c_api.h": "the interface",
  "tensorflow/include/tensorflow/c/eager/c_api.h": "the eager interface",
  "tensorflow/include/xla/tsl/c/tsl_status.h": "what the interface includes",
  "tensorflow/include/Eigen/Core": "what nothing includes",
  "tensorflow/python/_pywrap_tfe.so": "what only Python loads",
  "tensorflow_cpu-9.9.9.dist-info/METADATA": "Name: tensorflow_cpu\nVersion: 9.9.9\n",
};

interface Archive {
  name?: string;
  members?: Members;
  compress?: boolean;
}

/** Writes a zip archive with these members into a folder and returns its path. */
export async function makeWheel(
  folder: string,
  { name = "made-9.9.9-py3-none-any.whl", members = tensorflowMembers, compress = true }: Archive = {},
): Promise<string> {
  const zip = new ZipFile();
  for (const [member, contents] of Object.entries(members))
    if (member.endsWith("/")) zip.addEmptyDirectory(member);
    else zip.addBuffer(Buffer.from(contents), member, { compress });
  zip.end();
  const path = join(folder, name);
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

/** A pin that a file of the test's own satisfies. */
export async function pinOf(path: string, { file }: { file: string }): Promise<LibraryPin> {
  const contents = await readFile(path);
  return {
    kind: "cpu",
    architecture: "x86_64",
    version: "9.9.9",
    file,
    sha256: createHash("sha256").update(contents).digest("hex"),
    size: { bytes: contents.length, unpackedBytes: 1000 },
  };
}
