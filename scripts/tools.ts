/** Programs by the name that `npm run tool --` knows them by. Each parses its own arguments and has its own `--help`. */
export const tools: Record<string, { path: string; about: string }> = {
  service: { path: "gpu-service/main.ts", about: "starts the captioning service alone" },
  smoke: { path: "scripts/smoke.ts", about: "checks that a deployment answers as it should" },
  keys: { path: "scripts/keys.ts", about: "creates, lists and revokes API keys of the edge" },
  scaling: {
    path: "scripts/scaling.ts",
    about: "forecasts the GPUs or CPU machines that a load needs, and their cost",
  },
  load: { path: "test/endurance/load.ts", about: "puts the whole product under load on this machine" },
  encoder: { path: "scripts/encoder.ts", about: "converts Keras InceptionV3 weights into an encoder" },
  "update-manifest-hashes": {
    path: "scripts/update-manifest-hashes.ts",
    about: "writes the hashes of a changed model bundle into its manifest",
  },
  "compare-forms": {
    path: "scripts/compare-forms.ts",
    about: "compares captions of the same photos in two sizes or encodings",
  },
  "api-reference": {
    path: "scripts/api-reference/write-reference.ts",
    about: "writes the reference of what can be imported from the package",
  },
  screenshots: {
    path: "test/page/screenshots.ts",
    about: "photographs the page, the gallery and the report for the docs",
  },
  "tiny-bundle": { path: "test/fixtures/write-tiny-bundle.ts", about: "writes the tests' small model again" },
};
