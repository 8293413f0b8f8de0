import { relative } from "node:path";

/**
 * What relative paths on a command line start from. npm runs a package's scripts in the package's folder and says where
 * it was called from; that is meant where the script is what starts this program, and not some other script around it.
 */
export function invocationFolder(): string {
  const [, program = ""] = process.argv;
  const script = process.env.npm_lifecycle_script?.split(" ") ?? [];
  const isOurs = script.includes(relative(process.cwd(), program));
  return (isOurs && process.env.INIT_CWD) || process.cwd();
}
