import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { defaultModelDir } from "../../captioner/bundle.ts";
import { repository } from "../../scripts/repository.ts";
import { startDeployment } from "../../scripts/start/local-servers.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import { runProgram } from "../../terminal/run-program.ts";
import { chromiumPath } from "../fixtures/chromium.ts";

const samples = join(repository, "samples");
const shownOnThePage = ["plane", "surfing", "pizza"];
/** Windows are wide enough for three columns, pictures as wide as GitHub shows them. */
const shownWidth = 900;
const maxBytes = 150_000;

/** References for the report, in other words than the model has. */
const references = {
  burger: ["A burger with bacon, and fries beside it.", "Lunch: a hamburger, chips and a little pot of ketchup."],
  jockey: ["A racehorse and its jockey gallop along the rail.", "A jockey in a green cap races on a brown horse."],
  pizza: ["A large pizza with salami and cheese.", "A pizza with slices of sausage on a white plate."],
  plane: ["An airliner crosses the sky in front of a cloud.", "A plane is flying high above, seen from below."],
  soccer: ["Two players fight for the ball on a soccer field.", "A player in blue tackles another in red."],
  surfing: ["A surfer rides along a huge turquoise wave.", "A man on a surfboard in front of a breaking wave."],
};

/** `npm run tool -- screenshots`. Exit codes: 0 written, 1 something failed, 2 wrong usage. */
const program = new Command("npm run tool -- screenshots")
  .description(
    "Photographs the page, the gallery and the training report, light and dark, into docs/images; needs Chromium.",
  )
  .option("--out <folder>", "where the pictures go", join(repository, "docs/images"))
  .exitOverride()
  .action(({ out }: { out: string }) => takeScreenshots(resolve(invocationFolder(), out)));

await runProgram(program);

async function takeScreenshots(out: string): Promise<void> {
  if (chromiumPath === undefined)
    throw new Error("expected Chromium to be installed, such as by apt-get install chromium");
  const folder = await mkdtemp(join(tmpdir(), "screenshots-"));
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // its sandbox refuses root, which containers run as
  const browser = await chromium.launch({ executablePath: chromiumPath, args });
  try {
    await photographPage({ browser, out });
    const photos = join(folder, "photos");
    await cp(samples, photos, { recursive: true });
    const gallery = await writeGallery(photos);
    await photograph({ browser, out }, { name: "gallery", address: gallery, height: 900 });
    const report = await writeReport(photos, join(folder, "run"));
    await photograph({ browser, out }, { name: "report", address: `${report}#photos`, height: 1000 });
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
}

/** The page with three captioned photos. */
async function photographPage({ browser, out }: Studio): Promise<void> {
  const deployment = await startDeployment({ modelDir: defaultModelDir });
  try {
    await photograph(
      { browser, out },
      {
        name: "page",
        address: deployment.edge,
        height: 880,
        async prepare(page) {
          for (const [index, name] of shownOnThePage.entries()) {
            await page.setInputFiles("#choose", join(samples, `${name}.jpg`));
            await page.locator('[data-step="captioned"]').nth(index).waitFor();
          }
          await page.evaluate(() => scrollTo(0, 0));
        },
      },
    );
  } finally {
    await deployment.stop();
  }
}

/** Returns the address of the gallery of a folder's photos. */
async function writeGallery(photos: string): Promise<string> {
  await runFromClone("cli/main.ts", "caption", photos, "--html", join(photos, "gallery.html"), "--candidates", "2");
  return pathToFileURL(join(photos, "gallery.html")).href;
}

/** Returns the address of a report of the bundled model on the samples. */
async function writeReport(photos: string, out: string): Promise<string> {
  const lines = Object.entries(references).map(([name, captions]) => {
    const split = name === "burger" ? "train" : "test"; // prepare refuses data without a photo for training
    return { image: `${name}.jpg`, captions, split };
  });
  const data = join(photos, "captions.jsonl");
  await writeFile(data, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const places = ["--data", data, "--out", out];
  await runFromClone("training/main.ts", "prepare", ...places, "--min-count", "1");
  await runFromClone("training/main.ts", "evaluate", ...places, "--min-count", "1", "--bundle", defaultModelDir);
  await runFromClone("training/main.ts", "report", ...places, "--min-count", "1", "--bundle", defaultModelDir);
  return pathToFileURL(join(out, "report/report.html")).href;
}

async function runFromClone(path: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, ["--import", "tsx", path, ...args], { cwd: repository });
}

interface Studio {
  browser: Browser;
  /** Folder of the pictures. */
  out: string;
}

interface Subject {
  /** Of the files, before `-light.png` and `-dark.png`. */
  name: string;
  address: string;
  height: number;
  prepare?: (page: Page) => Promise<void>;
}

async function photograph({ browser, out }: Studio, { name, address, height, prepare }: Subject): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    const viewport = { width: 1240, height };
    const context = await browser.newContext({ colorScheme, viewport, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(address);
    await prepare?.(page);
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    const file = `${name}-${colorScheme}.png`;
    const bytes = await shrink(await page.screenshot());
    await writeFile(join(out, file), bytes);
    process.stdout.write(`${join(out, file)}: ${Math.round(bytes.length / 1000)} kB\n`);
    await context.close();
  }
}

/** The picture with as many colours as fit into `maxBytes`: photos have more of them than a PNG of a page can afford. */
async function shrink(png: Buffer): Promise<Buffer> {
  for (const colours of [256, 192, 128, 96, 64, 48]) {
    const bytes = await sharp(png)
      .resize({ width: shownWidth })
      .png({ palette: true, colours, dither: 0, effort: 10, compressionLevel: 9 })
      .toBuffer();
    if (bytes.length <= maxBytes) return bytes;
  }
  throw new Error(`expected a picture of at most ${maxBytes} bytes, even with 48 colours`);
}
