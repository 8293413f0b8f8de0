import { Argument, Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { buildPackage } from "./build/build-package.ts";
import { buildPage } from "./page/build-page.ts";

/** `npm run build`. Exit codes: 0 built, 1 something failed, 2 wrong usage. */
const program = new Command("npm run build --")
  .description("Makes dist/, a package that plain Node runs, with the page.")
  .addArgument(new Argument("[part]", "service: what its container needs, and no more").choices(["service"]))
  .exitOverride()
  .action(async (part: "service" | undefined) => {
    await buildPackage({ isServiceAlone: part === "service" });
    if (part === undefined) await buildPage();
  });

await runProgram(program);
