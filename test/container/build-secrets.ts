import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";

const certificates = "/run/secrets/certificates"; // where the build finds them
const npmConfigSchema = z.object({ registry: z.string(), cafile: z.string().nullish() });
const pipNames = ["index-url", "extra-index-url", "trusted-host", "proxy"];

/**
 * The secrets that hand this machine's registries and certificates to a build, as buildah's arguments. Each settings file holds
 * `marker` too, which must be found nowhere in the image.
 */
export async function buildSecrets(folder: string, marker: string): Promise<string[]> {
  const { registry, cafile } = npmConfigSchema.parse(JSON.parse(await output("npm", "config", "list", "--json")));
  const bundle = process.env.NODE_EXTRA_CA_CERTS ?? cafile ?? undefined;
  const npm = [`# ${marker}`, `registry=${registry}`, ...(bundle === undefined ? [] : [`cafile=${certificates}`])];
  const pip = [
    `# ${marker}`,
    "[global]",
    ...(bundle === undefined ? [] : [`cert = ${certificates}`]),
    ...(await pipIndexes()),
  ];
  await writeFile(join(folder, "npmrc"), npm.join("\n"));
  await writeFile(join(folder, "pip.conf"), pip.join("\n"));
  return [
    ["npmrc", join(folder, "npmrc")],
    ["pip", join(folder, "pip.conf")],
    ...(bundle === undefined ? [] : [["certificates", bundle]]),
  ].map(([id, source]) => `--secret=id=${id},src=${source}`);
}

/** Lines of pip's settings that say where packages come from. */
async function pipIndexes(): Promise<string[]> {
  const listed = await output("pip", "config", "list").catch(() => ""); // only the image for GPUs needs pip
  return listed.split("\n").flatMap((line) => {
    const [, name, value] = /^[^.]*\.([a-z-]+)='(.*)'$/.exec(line) ?? [];
    return name !== undefined && pipNames.includes(name) ? [`${name} = ${value}`] : [];
  });
}

async function output(command: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(command, args)).stdout;
}
