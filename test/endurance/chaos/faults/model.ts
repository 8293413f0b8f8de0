import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestSchema } from "../../../../shared/manifest.ts";
import type { Fault, Scene } from "../fault.ts";

const shortWords = 3;

export const rollModel: Fault = {
  name: "roll-model",
  about:
    "a service with another model is started, traffic is moved over, the old one is stopped; then the same in reverse",
  promise:
    "no request is lost and neither model's captions are served for the other's; afterwards the old ones come from the cache",
  mayRefuse: ["overloaded"],
  mayMiss: true,
  recoverySeconds: 5,
  async run(scene) {
    const { deployment, modelDir } = scene;
    const { proxy } = deployment;
    const old = deployment.service;
    const revision = await deployment.revisionOf(old);

    const other = await deployment.startBeside(await makeModelOfShortCaptions(scene));
    await deployment.untilReady(other);
    const shortRevision = await deployment.revisionOf(other);
    proxy.lead(other.port);
    await old.kept.stop();
    await scene.hold(5);
    const isOther = () =>
      scene.requests.some(({ verdict }) => verdict.kind === "answered" && verdict.revision === shortRevision);
    scene.expect(isOther(), "photos are captioned by the other model");

    const again = await deployment.startBeside(modelDir);
    await deployment.untilReady(again);
    proxy.lead(again.port);
    await other.kept.stop();
    scene.mended();
    await scene.hold(5);
    expectApart(scene, { revision, shortRevision });
  },
};

/** Makes a bundle of the same weights under another manifest, which ends captions after a few words. Returns its folder. */
async function makeModelOfShortCaptions({ modelDir, folder }: Scene): Promise<string> {
  const shortDir = join(folder, "short-captions");
  await cp(modelDir, shortDir, { recursive: true });
  const path = join(shortDir, "manifest.json");
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path, "utf8")));
  const search = { ...manifest.search, maxWords: shortWords };
  await writeFile(path, JSON.stringify({ ...manifest, id: `${manifest.id}-short`, search }));
  return shortDir;
}

function expectApart(
  { requests, expect, note }: Scene,
  { revision, shortRevision }: Record<"revision" | "shortRevision", string>,
) {
  const answers = requests.flatMap(({ verdict, ...request }) =>
    verdict.kind === "answered" ? [{ ...verdict, ...request }] : [],
  );
  const short = answers.filter((answer) => answer.revision === shortRevision);
  const long = answers.filter((answer) => answer.revision === revision);
  expect(short.length + long.length === answers.length, "every answer names one of the two models");
  const areShort = short.every(({ caption }) => caption.split(" ").length <= shortWords);
  expect(areShort, `what names the other model has at most ${shortWords} words`);
  const firstOf = new Map(long.toReversed().map(({ photo, caption }) => [photo, caption]));
  expect(
    long.every(({ photo, caption }) => firstOf.get(photo) === caption),
    "a photo's caption by a model stays the same",
  );
  const back = long.filter(({ kind }) => kind === "known").at(-1);
  expect(back?.isHit === true, "back again, known photos are answered from the cache");
  note(`${long.length} answers by the old model, ${short.length} by the other`);
}
