import { buildPage } from "./page/build-page.ts";

/** `npm run page`, which wrangler runs by itself before `dev` and `deploy`. */
await buildPage();
