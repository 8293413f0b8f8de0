import { findAllPhotos } from "../../files/find/find-photos.ts";
import { pathLine } from "../../files/find/read-path-list.ts";
import { say } from "../../terminal/progress.ts";
import { readPhotoStatus } from "../state/photo-status.ts";
import { isMadeBy, StateIndex } from "../state/state-index.ts";
import { openStateKey } from "../state/state-key.ts";
import type { CaptionRequest } from "./run.ts";
import { PhotoCounts } from "./run-progress.ts";

/** Runs `--dry-run`: prints the photos that would be captioned, one path per line. */
export async function dryRun(request: CaptionRequest): Promise<PhotoCounts> {
  const { folder, options, limit = Number.POSITIVE_INFINITY, statePath = "", trustsState: trusts } = request;
  const revision = await request.readRevision();
  const { photos, passedOver } = await findAllPhotos({ ...request, takesRaw: true });
  const index =
    statePath === ""
      ? new StateIndex()
      : await StateIndex.read(statePath, { key: await openStateKey({ makes: false }), trusts });
  const begun = new Set<string>();
  const counts = new PhotoCounts();
  for await (const photo of readPhotoStatus(photos, { index, statePath, folder, remote: request.remote })) {
    if ("error" in photo) {
      counts.failed += 1;
      counts.notFound += 1;
      say(`${photo.path}: ${photo.error}`);
    } else if (begun.has(photo.key)) {
      counts.copies += 1;
    } else if (isMadeBy({ revision, options }, photo.last)) {
      counts.skipped += 1;
    } else if (begun.size >= limit) {
      counts.left += 1;
    } else {
      begun.add(photo.key);
      counts.captioned += 1;
      process.stdout.write(`${pathLine(photo.path)}\n`);
    }
  }
  if (!request.isQuiet) {
    say(`dry run: ${counts.describe({ captioned: "to caption" })}`);
    const sentence = passedOver.describe();
    if (sentence !== undefined) say(sentence);
  }
  return counts;
}
