import { type Architecture, classicArchives, type Kind, libraryWheels } from "./checksums.ts";
import type { SetupRequest } from "./command.ts";
import { chooseGiven } from "./given-source.ts";
import { detectKind } from "./machine.ts";
import { nameSource, type Source } from "./source.ts";

/** Where tfjs-node-gpu 4.22.0 looks for it (its scripts/install.js). */
const classicPlace = "https://storage.googleapis.com/tensorflow/libtensorflow/";

type Request = Pick<SetupRequest, "kind" | "version" | "from" | "isClassic" | "isUnpinned"> & {
  architecture: Architecture;
  signal: AbortSignal;
};

/** Picks the source: `--from`, else `--classic`, else the package index. Throws a sentence where there is none. */
export async function chooseSource({ from, isClassic, ...request }: Request): Promise<Source> {
  if (from !== undefined) return chooseGiven(from, request);
  const choice = { ...request, kind: request.kind ?? detectKind() };
  return isClassic ? chooseClassic(choice) : chooseWheel(choice);
}

interface Choice {
  kind: Kind;
  /** Of TensorFlow. */
  version: string;
  architecture: Architecture;
  isUnpinned: boolean;
}

function chooseWheel({ kind, version, architecture, isUnpinned }: Choice): Source {
  if (architecture === "aarch64" && kind === "gpu")
    throw new Error(
      "expected x86_64 for --gpu, this machine is aarch64, for which no TensorFlow wheel has it: use --cpu",
    );
  const name = architecture === "x86_64" && kind === "cpu" ? "tensorflow-cpu" : "tensorflow";
  const pin = libraryWheels.find(
    (wheel) => wheel.package === name && wheel.version === version && wheel.architecture === architecture,
  );
  if (pin === undefined && !isUnpinned) {
    const versions = new Set(libraryWheels.map((wheel) => wheel.version));
    throw new Error(
      `expected TensorFlow ${[...versions].join(" or ")}, received ${version}, whose hash is not pinned: --unpinned takes it unchecked`,
    );
  }
  const place = { from: "index", package: name, version } as const;
  return { place, kind, pin, name: nameSource({ kind, pin, identity: `${name} ${version} ${architecture}` }) };
}

function chooseClassic({ kind, architecture }: Choice): Source {
  const pin = classicArchives.find((archive) => archive.kind === kind && archive.architecture === architecture);
  if (pin === undefined) throw new Error(`expected x86_64 for --classic, this machine is ${architecture}`);
  const url = `${classicPlace}${pin.file}`;
  return { place: { from: "url", url }, kind, pin, name: nameSource({ kind, pin, identity: url }) };
}
