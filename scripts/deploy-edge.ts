import { join } from "node:path";
import { runProgram } from "../terminal/run-program.ts";
import { deployEdgeCommand } from "./deploy-edge/command.ts";
import { deployEdge } from "./deploy-edge/deploy.ts";
import { wranglerAt } from "./wrangler.ts";

/** `npm run deploy:edge`. Exit codes: 0 done, or all is there; 1 something is missing or failed; 2 wrong usage. */
const program = deployEdgeCommand({
  async deploy(request) {
    if (!(await deployEdge(request, wranglerAt()))) process.exitCode = 1;
  },
  async dryRun(environment) {
    const outdir = join(".wrangler/dry-run", environment);
    const code = await wranglerAt().act(["deploy", "--dry-run", "--env", environment, "--outdir", outdir]);
    if (code !== 0) process.exitCode = 1;
  },
});

await runProgram(program);
