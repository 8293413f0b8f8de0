import { type CaptionRequest, findAll } from "./caption-paths.ts";
import { say } from "./progress.ts";
import { pathLine } from "./read-path-list.ts";
import { isMadeBy, StateIndex } from "./state-index.ts";
import { openStateKey } from "./state-key.ts";
import { surveyPhotos } from "./survey-photos.ts";
import { Tally } from "./tally.ts";

/** `--dry-run`: tells on standard output which photos would be captioned, one path a line. */
export async function dryRun(request: CaptionRequest): Promise<Tally> {
  const { folder, options, limit = Number.POSITIVE_INFINITY, statePath = "", trustsState: trusts } = request;
  const revision = await request.readRevision();
  const { photos, passedOver } = await findAll(request);
  const index =
    statePath === ""
      ? new StateIndex()
      : await StateIndex.read(statePath, { key: await openStateKey({ makes: false }), trusts });
  const begun = new Set<string>();
  const tally = new Tally();
  for await (const photo of surveyPhotos(photos, { index, statePath, folder })) {
    if ("error" in photo) {
      tally.failed += 1;
      say(`${photo.path}: ${photo.error}`);
    } else if (begun.has(photo.key)) {
      tally.copies += 1;
    } else if (isMadeBy({ revision, options }, photo.last)) {
      tally.skipped += 1;
    } else if (begun.size >= limit) {
      tally.left += 1;
    } else {
      begun.add(photo.key);
      tally.captioned += 1;
      process.stdout.write(`${pathLine(photo.path)}\n`);
    }
  }
  if (!request.isQuiet) {
    say(`dry run: ${tally.describe({ captioned: "to caption" })}`);
    const sentence = passedOver.describe();
    if (sentence !== undefined) say(sentence);
  }
  return tally;
}
