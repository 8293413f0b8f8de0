import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createCaptioner } from "edge-caption";

/**
 * Captions a folder's photos in this process, without a server, and prints a table.
 *
 *     npx tsx examples/caption-folder.ts samples
 */
const [folder = "samples"] = process.argv.slice(2);
const names = (await readdir(folder)).filter((name) => /\.(?:jpe?g|png|webp)$/i.test(name));

const captioner = await createCaptioner({ beam: 3 }); // loads the model once
for await (const outcome of captioner.captionMany(names.map((name) => join(folder, name)))) {
  if ("result" in outcome) console.log(`${outcome.photo}\t${outcome.result.caption}\t${outcome.result.confidence}`);
  else console.error(`${outcome.photo}: ${outcome.error}`);
}
await captioner.close(); // lets the program end
