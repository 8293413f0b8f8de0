import { pathToFileURL } from "node:url";
import { repository } from "./repository.ts";
import { tools } from "./tools.ts";

/** `npm run tool`. Exit codes: those of the tool; 2 if there is none of that name. */
const [name = "--help", ...args] = process.argv.slice(2);
const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
if (tool !== undefined) {
  process.argv.splice(2, Infinity, ...args); // argv[1] stays, by which the tool knows that npm started it
  await import(pathToFileURL(`${repository}${tool.path}`).href);
} else {
  const lines = Object.entries(tools).map(([known, { about }]) => `  ${known.padEnd(24)}${about}`);
  const isHelp = ["--help", "-h", "help"].includes(name);
  const usage = `Usage: npm run tool -- <tool> [arguments]   (<tool> --help explains each)\n\nTools:\n${lines.join("\n")}\n`;
  if (isHelp) process.stdout.write(usage);
  else {
    process.stderr.write(`error: expected the name of a tool, received ${JSON.stringify(name)}\n\n${usage}`);
    process.exitCode = 2;
  }
}
