import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import * as z from "zod";
import { openApiDocument } from "../../edge/openapi/document.ts";
import { repository } from "../repository.ts";
import { renderDocs } from "./render-docs.ts";
import { type BuiltFile, writeFolder } from "./write-folder.ts";

/** Where `wrangler.toml` looks for what Cloudflare answers without the worker. */
const outputFolder = join(repository, "dist/page");
const pageFolder = fileURLToPath(new URL("../../edge/page", import.meta.url));
const libheifFolder = dirname(createRequire(import.meta.url).resolve("libheif-js/package.json"));
const sampleFolder = join(repository, "samples");

/** Builds the page, its docs and `openapi.json` into `dist/page`. */
export async function buildPage(): Promise<void> {
  const libheifName = `libheif-${await readVersion(join(libheifFolder, "package.json"))}.js`;
  const bundled = await bundle({ libheifName });
  const document = openApiDocument({ version: await readVersion(join(repository, "package.json")) });
  const asTheyAre = ["_headers", "icon.svg"].map((name) => readBuilt(join(pageFolder, name), name));
  const sampleNames = (await readdir(sampleFolder)).filter((name) => name.endsWith(".jpg"));
  const samples = sampleNames.map((name) => readBuilt(join(sampleFolder, name), `samples/${name}`));
  const index = await readFile(join(pageFolder, "index.html"), "utf8");
  await writeFolder(outputFolder, [
    ...bundled.files,
    await readBuilt(join(libheifFolder, "libheif-wasm/libheif-bundle.mjs"), `built/${libheifName}`),
    await readBuilt(join(libheifFolder, "libheif-wasm/LICENSE"), "licences/libheif.txt"),
    { path: "index.html", content: bundled.link(index) },
    { path: "docs.html", content: bundled.link(renderDocs(document)) },
    { path: "openapi.json", content: JSON.stringify(document) },
    ...(await Promise.all([...asTheyAre, ...samples])),
  ]);
}

/** Leaves libheif out of the bundle, as a file beside it: its licence, the LGPL, asks that anybody can replace it. */
function keepLibheifApart(name: string): Plugin {
  return {
    name: "keep libheif apart",
    setup: ({ onResolve }) => onResolve({ filter: /^libheif-js\// }, () => ({ path: `./${name}`, external: true })),
  };
}

interface Bundle {
  files: BuiltFile[];
  /** Replaces the sources' names in a page by the built files', which contain their hashes. */
  link(html: string): string;
}

async function bundle({ libheifName }: { libheifName: string }): Promise<Bundle> {
  const sources = ["main.ts", "heic-decoder.ts", "docs.ts", "page.css", "docs.css"];
  const { outputFiles, metafile } = await build({
    entryPoints: sources.map((name) => join(pageFolder, name)),
    outdir: outputFolder,
    entryNames: "built/[name]-[hash]",
    assetNames: "built/[name]-[hash]",
    bundle: true,
    splitting: true,
    chunkNames: "built/[name]-[hash]",
    format: "esm",
    target: ["es2022", "chrome123", "firefox124", "safari17.5"], // the first with CSS' light-dark() and AbortSignal.any
    loader: { ".woff2": "file" },
    minify: true,
    legalComments: "none",
    sourcemap: "linked",
    metafile: true,
    plugins: [keepLibheifApart(libheifName)],
    write: false,
    absWorkingDir: repository,
  });
  const names = Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
    entryPoint === undefined ? [] : [{ source: basename(entryPoint), built: `/built/${basename(path)}` }],
  );
  return {
    files: outputFiles.map(({ path, contents }) => ({ path: `built/${basename(path)}`, content: contents })),
    link: (html) => names.reduce((text, { source, built }) => text.replaceAll(`"${source}"`, `"${built}"`), html),
  };
}

async function readVersion(packageFile: string): Promise<string> {
  const text = await readFile(packageFile, "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

async function readBuilt(source: string, path: string): Promise<BuiltFile> {
  return { path, content: await readFile(source) };
}
