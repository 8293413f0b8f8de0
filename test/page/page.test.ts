import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { launchBrowser, type OpenPage, visit } from "./browser.ts";
import { everybodyUsesIt } from "./page/accessibility.ts";
import { jobsAreShown } from "./page/jobs.ts";
import { captionsAreRefused } from "./page/refusals.ts";
import { photosComeIn } from "./page/take-photos.ts";
import { captionsAreUsed } from "./page/use-captions.ts";

let deployment: Deployment;
let browser: Browser;

const open: OpenPage = (options = {}) => visit({ browser, address: deployment.edge, ...options });

/** One browser and one deployment for all of it: they take longer to start than most of what is tried. */
describe.skipIf(chromiumPath === undefined)("the page (needs Chromium)", () => {
  beforeAll(async () => {
    [deployment, browser] = await Promise.all([startTinyDeployment(), launchBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), deployment?.stop()]);
  });

  photosComeIn(open);
  captionsAreRefused(open);
  captionsAreUsed(open);
  everybodyUsesIt(open);
  jobsAreShown(open, () => deployment);
});
