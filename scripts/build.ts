import { buildPackage } from "./build/build-package.ts";
import { buildPage } from "./page/build-page.ts";

/** `npm run build`: makes `dist/`, a package that plain Node runs. `-- service` builds what a container needs, no more. */
const [part, ...rest] = process.argv.slice(2);
if ((part !== undefined && part !== "service") || rest.length > 0) {
  console.error("usage: npm run build [-- service]");
  process.exit(2);
}
await buildPackage({ isServiceAlone: part === "service" });
if (part === undefined) await buildPage();
