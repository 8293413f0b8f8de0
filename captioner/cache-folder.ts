import { homedir } from "node:os";
import { join } from "node:path";

/** What can be made again is kept there, outside the checkout. */
export function cacheFolder({ EDGE_CAPTION_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv = process.env): string {
  return EDGE_CAPTION_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "edge-caption");
}
