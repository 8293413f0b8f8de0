import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Markup, trusted } from "../shared/html.ts";

/**
 * Reads a style sheet or browser program, with all that it imports, as one text to put into a page: written pages ask
 * nothing of any host. In a clone esbuild bundles it; in the package the bundled text is beside the programs.
 *
 * @example html`<style>${readPagePart(new URL("./gallery.css", import.meta.url))}</style>`
 */
export function readPagePart(source: URL): Markup {
  const isClone = extname(fileURLToPath(import.meta.url)) === ".ts";
  if (isClone) return trusted(bundlePagePart(fileURLToPath(source)));
  return trusted(readFileSync(new URL(`./${builtName(source.pathname)}`, import.meta.url), "utf8"));
}

/** Bundles a page's `.css` or `.ts` file into one text, which ends neither a `<style>` nor a `<script>` element. */
export function bundlePagePart(path: string): string {
  // a development dependency: importing it would make it one of the package's
  const { buildSync }: typeof import("esbuild") = createRequire(import.meta.url)("esbuild");
  const { outputFiles } = buildSync({
    entryPoints: [path],
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    legalComments: "none",
    write: false,
  });
  return outputFiles.map(({ text }) => text).join("");
}

/** Names a page's part as the package has it. */
export function builtName(path: string): string {
  return basename(path).replace(/\.ts$/, ".js");
}
