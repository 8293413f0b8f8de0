import * as z from "zod";
import { allowedLicences, allowedPackages } from "./allowed.ts";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ license: z.string().optional(), dev: z.boolean().optional(), link: z.boolean().optional() }),
  ),
});

/** A licence, why it is fine, and the packages that have it. */
export interface LicenceGroup {
  licence: string;
  reason: string;
  packages: string[];
}

/**
 * The production dependencies of a lock file by licence, those of every system and optional ones with them. Throws a sentence
 * that names each whose licence nobody has allowed.
 */
export function listLicences(lockText: string): LicenceGroup[] {
  const { packages } = lockSchema.parse(JSON.parse(lockText));
  const groups = new Map<string, LicenceGroup>();
  const refused: string[] = [];
  for (const [path, { license = "none", dev, link }] of Object.entries(packages)) {
    const name = /.*node_modules\/(.+)$/.exec(path)?.[1];
    if (name === undefined || dev || link) continue;
    const reason = reasonFor(name, license);
    if (reason === undefined) refused.push(`${name}: ${license}`);
    const group = groups.get(`${license} ${reason}`) ?? { licence: license, reason: reason ?? "", packages: [] };
    groups.set(`${license} ${reason}`, group);
    if (!group.packages.includes(name)) group.packages.push(name);
  }
  if (refused.length > 0) {
    throw new Error(`expected licences that scripts/licences/allowed.ts names, received ${refused.join(", ")}`);
  }
  return [...groups.values()].map((group) => ({ ...group, packages: group.packages.toSorted() }));
}

function reasonFor(name: string, licence: string): string | undefined {
  const exception = Object.entries(allowedPackages).find(([pattern]) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )?.[1];
  return exception?.licence === licence ? exception.reason : allowedLicences[licence];
}

/** `docs/licences.md`. */
export function describeLicences(groups: readonly LicenceGroup[]): string {
  const byCount = groups.toSorted(
    (one, other) => other.packages.length - one.packages.length || one.licence.localeCompare(other.licence),
  );
  const rows = byCount.map(
    ({ licence, reason, packages }) =>
      `| ${licence} | ${reason} | ${packages.map((name) => `\`${name}\``).join(", ")} |`,
  );
  return `${opening}\n| licence | why it is fine | packages |\n|---|---|---|\n${rows.join("\n")}\n${closing}`;
}

const opening = `# Licences of what this builds on

Every package that the product needs to run, on any system, by the licence that it states; written by \`npm run docs\` from the
lock file. A test fails when this page lags behind, or when a package comes in under a licence that \`scripts/licences/allowed.ts\` does not name with
a reason. Tools for building and testing are not among them. Whose work the weights, photos and fonts are: [NOTICE](../NOTICE).
`;

const closing = `
What the packages' own words do not say:

- \`exiftool-vendored.pl\` and \`exiftool-vendored.exe\` are MIT as packages and hold ExifTool, which is under the terms of Perl (Artistic License or GPL).
  The command line runs it as a program of its own.
- \`npm run setup:native\` fetches TensorFlow (Apache-2.0) and, for a GPU, NVIDIA's CUDA packages, which are under NVIDIA's own terms, to the machine
  that asks for them. None of them is part of this repository.
`;
