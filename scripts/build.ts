import { Argument, Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { buildPackage } from "./build/build-package.ts";
import { buildPage } from "./page/build-page.ts";

type Part = "service" | "page";

/** `npm run build`. Exit codes: 0 built, 1 something failed, 2 wrong usage. Wrangler builds the page with it before `dev` and `deploy`. */
const program = new Command("npm run build --")
  .description("Makes dist/, a package that plain Node runs, and the edge's page.")
  .addArgument(
    new Argument("[part]", "service: dist/ with what its container needs; page: the page alone").choices([
      "service",
      "page",
    ]),
  )
  .exitOverride()
  .action(async (part: Part | undefined) => {
    if (part !== "page") await buildPackage({ isServiceAlone: part === "service" });
    if (part !== "service") await buildPage();
  });

await runProgram(program);
