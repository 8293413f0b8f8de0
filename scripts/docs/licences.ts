import * as z from "zod";

/** Licences that a production dependency may have, as its package states them, and why each is fine beside Apache-2.0. */
const allowedLicences: Record<string, string> = {
  MIT: "asks for its notice only",
  ISC: "asks for its notice only",
  "0BSD": "asks for nothing",
  "BSD-2-Clause": "asks for its notice only",
  "BSD-3-Clause": "asks for its notice only",
  "BlueOak-1.0.0": "asks for its notice only",
  "CC0-1.0": "gives up all rights",
  "(MIT OR CC0-1.0)": "either",
  "Apache-2.0": "our own",
  "Apache-2.0 AND MIT": "both of the above",
  "(BSD-3-Clause AND Apache-2.0)": "both of the above",
  "OFL-1.1": "fonts, which are served as they are and not sold by themselves",
};

interface Exception {
  /** The licence that its package states. */
  licence: string;
  reason: string;
}

/** Packages that are allowed one by one, by their name or the beginning of it, with what makes them fine. */
const allowedPackages: Record<string, Exception> = {
  "@img/sharp-libvips-*": {
    licence: "LGPL-3.0-or-later",
    reason:
      "libvips and what it is built of, a shared library of its own package that anybody can replace; its README lists the parts and their licences",
  },
  "@img/sharp-win32-*": {
    licence: "Apache-2.0 AND LGPL-3.0-or-later",
    reason: "sharp with the same libraries as DLLs beside it",
  },
  "@img/sharp-wasm32": {
    licence: "Apache-2.0 AND LGPL-3.0-or-later AND MIT",
    reason: "sharp with the same libraries in WebAssembly, a package of its own that anybody can replace",
  },
  "libheif-js": {
    licence: "LGPL-3.0",
    reason:
      "libheif and libde265 in WebAssembly, a package of its own that is loaded as it is and that anybody can replace",
  },
  h5wasm: {
    licence: "SEE LICENSE IN LICENSE.txt",
    reason:
      "NIST's terms, which ask for the notice and for an acknowledgement, and HDF5's, which are BSD's; training alone loads it",
  },
};

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ license: z.string().optional(), dev: z.boolean().optional(), link: z.boolean().optional() }),
  ),
});

/** A licence, why it is fine, and the packages that have it. */
interface LicenceGroup {
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
    throw new Error(`expected licences that scripts/docs/licences.ts names, received ${refused.join(", ")}`);
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
lock file. A test fails when this page lags behind, or when a package comes in under a licence that \`scripts/docs/licences.ts\` does not name with
a reason. Tools for building and testing are not among them. Whose work the weights, photos and fonts are: [NOTICE](../NOTICE).
`;

const closing = `
What the packages' own words do not say:

- \`exiftool-vendored.pl\` and \`exiftool-vendored.exe\` are MIT as packages and hold ExifTool, which is under the terms of Perl (Artistic License or GPL).
  The command line runs it as a program of its own.
- \`npm run setup:native\` fetches TensorFlow (Apache-2.0) and, for a GPU, NVIDIA's CUDA packages, which are under NVIDIA's own terms, to the machine
  that asks for them. None of them is part of this repository.
`;
