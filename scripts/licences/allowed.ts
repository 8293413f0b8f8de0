/** Licences that a production dependency may have, as its package states them, and why each is fine beside Apache-2.0. */
export const allowedLicences: Record<string, string> = {
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
  /** As its package states it. */
  licence: string;
  reason: string;
}

/** Packages that are allowed one by one, by their name or the beginning of it, with what makes them fine. */
export const allowedPackages: Record<string, Exception> = {
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
