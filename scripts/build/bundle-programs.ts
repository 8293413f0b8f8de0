import { basename, join } from "node:path";
import { build } from "esbuild";
import { builtName, bundlePagePart } from "../../pages/page-part.ts";
import type { BuiltFile } from "../page/write-folder.ts";
import { repository } from "../repository.ts";

const programs = {
  service: "gpu-service/main.ts",
  "engine-child": "captioner/engines/engine-child.ts",
  "decode-child": "captioner/images/decode-child.ts",
  "heic-worker": "captioner/images/heic-worker.js",
  "edge-caption": "cli/main.ts",
  train: "training/main.ts",
  "create-captioner": "cli/create-captioner.ts",
  client: "shared/client-entry.ts",
};
/** Style sheets and browser programs of the pages that the programs write. */
const pageParts = ["cli/gallery/browser/gallery.css", "cli/gallery/browser/gallery.ts", "training/report/report.css"];

/** Those that a shell starts. */
export const commands = {
  "edge-caption": "edge-caption",
  "edge-caption-service": "service",
  "edge-caption-train": "train",
} as const;
const serviceParts = ["service", "engine-child", "decode-child", "heic-worker"];

/** Commands as messages name them, of a clone, and what they are called where the package is installed. */
const commandNames = [
  ["npm run train --", "edge-caption-train"],
  ["npm start", "edge-caption-service"],
  ["npm run setup:native", "npm run setup:native in a clone"],
] as const;

interface BuiltPrograms {
  files: BuiltFile[];
  /** The npm packages that they import. */
  packages: ReadonlySet<string>;
}

/**
 * Bundles each program's sources; npm packages stay outside. All files lie in one folder, which stands where the sources' do beside
 * `models`: what they find beside themselves, and by `../models`, is there in both.
 */
export async function bundlePrograms({ isServiceAlone }: { isServiceAlone: boolean }): Promise<BuiltPrograms> {
  const wanted = Object.entries(programs).filter(([name]) => !isServiceAlone || serviceParts.includes(name));
  const { outputFiles, metafile } = await build({
    entryPoints: wanted.map(([out, path]) => ({ in: join(repository, path), out })),
    outdir: "lib",
    chunkNames: "part-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    target: "node20.19",
    format: "esm",
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    write: false,
    absWorkingDir: repository,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const outside = imports.filter(({ path, external }) => external && !path.startsWith("node:"));
  const parts = pageParts.map((path) => ({ path: builtName(path), content: bundlePagePart(join(repository, path)) }));
  return {
    files: [...outputFiles.map(({ path, text }) => finish(basename(path), text)), ...(isServiceAlone ? [] : parts)],
    packages: new Set(outside.map(({ path }) => packageOf(path))),
  };
}

function finish(path: string, text: string): BuiltFile {
  const renamed = commandNames.reduce((done, [ofClone, ofPackage]) => done.replaceAll(ofClone, ofPackage), text);
  const isCommand = Object.values(commands).some((name) => path === `${name}.js`);
  return { path, content: isCommand ? `#!/usr/bin/env node\n${renamed}` : renamed };
}

/** `@scope/name/part.js` → `@scope/name`. */
function packageOf(path: string): string {
  return path
    .split("/")
    .slice(0, path.startsWith("@") ? 2 : 1)
    .join("/");
}
