/** Scripts of package.json that start our commands. */
const scripts = ["caption", "edge-caption", "train"];

/**
 * What relative paths start from. npm runs its scripts in the package's folder and says where it was called from; under
 * another script of npm's, that is not ours.
 */
export function invocationFolder(): string {
  const isOurs = scripts.includes(process.env.npm_lifecycle_event ?? "");
  return (isOurs && process.env.INIT_CWD) || process.cwd();
}
