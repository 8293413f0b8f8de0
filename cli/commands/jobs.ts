import { open, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { toDiskPath } from "../../files/disk-path.ts";
import { putInPlace } from "../../files/write-whole.ts";
import { captionOptionsSchema, defaultCaptionOptions } from "../../shared/caption-options.ts";
import { CaptionClient } from "../../shared/client.ts";
import { type Job, type JobOrder, type ResultForm, type SidecarChoice, sidecarChoices } from "../../shared/jobs.ts";
import { terminalText } from "../../shared/terminal-text.ts";
import { countUpTo, invocationFolder } from "../../terminal/command-line.ts";
import { say } from "../../terminal/progress.ts";
import { endOnSignal } from "../../terminal/run-program.ts";
import { describeJob, watchJob } from "../jobs/watch-job.ts";
import { standardOutput } from "../outputs/output-stream.ts";

interface EdgeFlags {
  endpoint: string;
  key?: string;
}

interface StartFlags extends EdgeFlags {
  bucket?: string;
  prefix: string;
  follow: boolean;
  sidecars: SidecarChoice;
  beam: number;
  candidates: number;
  maxWords?: number;
  sentence: boolean;
  neutral: boolean;
  keywords: boolean;
  wait: boolean;
  quiet: boolean;
}

/** Makes the command `edge-caption jobs …`. */
export function jobsCommand(): Command {
  const command = new Command("jobs")
    .description("Captions whole buckets at an edge, which does the work in the background.")
    .addHelpText("after", examples)
    .exitOverride();
  atEdge(command.command("start"))
    .description("Starts a job and shows its progress; Ctrl-C leaves it running.")
    .argument("[urls...]", "addresses of photos, instead of a bucket; at most 1000")
    .option("--bucket <name>", "a bucket that the edge lets jobs read")
    .option("--prefix <text>", "only objects whose keys begin with this", "")
    .option("--follow", "keep the job open: caption what comes or changes later, too", false)
    .addOption(
      new Option(
        "--sidecars <form>",
        "also write into the bucket, beside each photo: its result (json), or its caption for photo programs (xmp)",
      )
        .choices(sidecarChoices)
        .default("none"),
    )
    .option("--beam <n>", "beam width of the search, 1 to 10", countUpTo(10), defaultCaptionOptions.beam)
    .option(
      "--candidates <n>",
      "captions per photo, at most the beam width",
      countUpTo(5),
      defaultCaptionOptions.candidates,
    )
    .option("--max-words <n>", "end captions at about this many words, 5 to 20", readMaxWords)
    .option("--sentence", "write captions with a capital and a full stop", false)
    .option("--neutral", "say person and child for man, woman, girl and boy (English)", false)
    .option("--keywords", "also keywords, in results and XMP sidecars (English)", false)
    .option("--no-wait", "print the job's id and end")
    .option("--quiet", "show no progress", false)
    .action(async (urls: string[], flags: StartFlags, start: Command) => {
      const client = clientOf(flags);
      const job = await client.startJob(orderOf(urls, flags, start));
      process.stdout.write(`${job.id}\n`);
      if (flags.wait) report(await watch(client, job, { isShown: !flags.quiet }));
    });
  atEdge(command.command("status"))
    .description("Shows how far a job is, or all jobs of the key.")
    .argument("[id]", "a job's id; without it, all of them")
    .option("--watch", "show its progress until it is over", false)
    .option("--json", "print what the edge says, as JSON lines", false)
    .action(async (id: string | undefined, flags: EdgeFlags & { watch: boolean; json: boolean }) => {
      const client = clientOf(flags);
      const print = (job: Job) =>
        process.stdout.write(`${flags.json ? JSON.stringify(job) : terminalText(describeJob(job))}\n`);
      if (id === undefined) for await (const job of client.jobs()) print(job);
      else if (flags.watch) report(await watch(client, await client.job(id), { isShown: true }));
      else print(await client.job(id));
    });
  atEdge(command.command("results"))
    .description("Writes a job's results, a row per photo; waiting ones are listed as queued.")
    .argument("<id>", "a job's id")
    .addOption(new Option("--form <name>", "JSON lines, or a table").choices(["jsonl", "csv"]).default("jsonl"))
    .option("--output <file>", "file to write (default: standard output)", toPath)
    .action(async (id: string, flags: EdgeFlags & { form: ResultForm; output?: string }) => {
      const pages = clientOf(flags).jobResultPages(id, { form: flags.form });
      await (flags.output === undefined ? print(pages) : writeFileOf(flags.output, pages));
    });
  atEdge(command.command("cancel"))
    .description("Ends a job; photos that are being captioned are finished.")
    .argument("<id>", "a job's id")
    .action(async (id: string, flags: EdgeFlags) => say(describeJob(await clientOf(flags).cancelJob(id))));
  atEdge(command.command("delete"))
    .description("Deletes a job and its results; one that is running is cancelled first.")
    .argument("<id>", "a job's id")
    .action(async (id: string, flags: EdgeFlags) => clientOf(flags).deleteJob(id));
  return command;
}

const examples = `
Examples:
  export EDGE_CAPTION_KEY=ec_…
  edge-caption jobs start --endpoint https://captions.example.com --bucket photos --prefix 2024/
  edge-caption jobs status --endpoint https://captions.example.com <id> --watch
  edge-caption jobs results --endpoint https://captions.example.com <id> --form csv --output captions.csv
  edge-caption jobs cancel --endpoint https://captions.example.com <id>

The key needs the scope jobs. From a clone: npm run edge-caption -- jobs …
Exit codes: 0 all captioned, 1 some failed or the job did, 2 wrong usage, 130 interrupted (the job continues).
More: docs/jobs.md`;

function atEdge(command: Command): Command {
  return command
    .exitOverride()
    .addOption(new Option("--endpoint <url>", "the edge").env("EDGE_CAPTION_ENDPOINT").makeOptionMandatory())
    .addOption(new Option("--key <key>", "API key with the scope jobs").env("EDGE_CAPTION_KEY"));
}

function clientOf({ endpoint, key: apiKey }: EdgeFlags): CaptionClient {
  return new CaptionClient({ origin: endpoint, apiKey });
}

function orderOf(urls: string[], flags: StartFlags, command: Command): JobOrder {
  const { bucket, prefix, follow, sidecars, beam, candidates, maxWords, sentence, neutral, keywords } = flags;
  if ((bucket === undefined) === (urls.length === 0)) {
    command.error("error: expected either --bucket or addresses of photos");
  }
  const source = bucket === undefined ? { urls } : { bucket, prefix, follow, sidecars };
  return {
    source,
    beam: Math.max(beam, candidates),
    candidates,
    ...(maxWords !== undefined && { maxWords }),
    ...(sentence && { style: "sentence" }),
    ...(neutral && { neutral }),
    ...(keywords && { keywords }),
  };
}

function watch(client: CaptionClient, job: Job, { isShown }: { isShown: boolean }): Promise<Job> {
  const ending = new AbortController();
  endOnSignal(ending);
  return watchJob(client, job, { signal: ending.signal, isShown });
}

/** Says how a job ended, and fails where photos or the job did. */
function report(job: Job): void {
  say(describeJob(job));
  if (job.failed > 0 || job.state === "failed" || job.state === "cancelled") process.exitCode = 1;
}

async function print(pages: AsyncIterable<string>): Promise<void> {
  const output = standardOutput();
  for await (const page of pages) await output.append(page);
}

/** Writes a file that takes its name when it is whole. */
async function writeFileOf(path: string, pages: AsyncIterable<string>): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    const file = await open(toDiskPath(temporary), "w");
    try {
      for await (const page of pages) await file.writeFile(page);
    } finally {
      await file.close();
    }
    await putInPlace(temporary, path);
  } catch (error) {
    await rm(toDiskPath(temporary), { force: true }).catch(() => undefined); // what went wrong first is what to tell
    throw error;
  }
}

function readMaxWords(text: string): number {
  const count = Number(text);
  if (captionOptionsSchema.shape.maxWords.safeParse(count).success) return count;
  throw new InvalidArgumentError("Expected a whole number from 5 to 20.");
}

function toPath(path: string): string {
  return resolve(invocationFolder(), path);
}
