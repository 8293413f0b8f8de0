import { type Deployment, startDeployment } from "../../scripts/start/local-servers.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { keepOutput } from "./kept-output.ts";

let visitors = 0;

/** The address of a visitor of its own, for `CF-Connecting-IP`: the rate limit counts by address. */
export function visitorAddress(): string {
  visitors += 1;
  return `198.51.100.${visitors}`;
}

/** The whole product on the tiny bundle: the page, the worker in Cloudflare's runtime and the real service. */
export function startTinyDeployment(places: { edgePort?: number; stateDir?: string } = {}): Promise<Deployment> {
  return startDeployment({ ...places, modelDir: tinyBundle, listen: keepOutput });
}
