import { fileURLToPath } from "node:url";
import { makeTinyBundle } from "../test/fixtures/make-tiny-bundle.ts";

/** `npm run tiny-bundle`: writes the tests' bundle anew. */
await makeTinyBundle(fileURLToPath(new URL("../test/fixtures/tiny-bundle", import.meta.url)));
