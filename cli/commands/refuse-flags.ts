import { basename } from "node:path";
import type { Command } from "commander";
import type { Shard } from "../../files/shard.ts";
import { outputPlace } from "../outputs/output-stream.ts";
import type { PhotoOutputFlags } from "./options.ts";

/** Flags of `caption` that do not go with each other everywhere. */
interface CaptionFlags extends Pick<PhotoOutputFlags, "txt" | "xmp" | "embed"> {
  endpoint?: string;
  shard?: Shard;
  state?: string;
  csv?: string;
  html?: string;
  json: boolean;
  jsonl?: string;
  keywords: boolean;
}

/** The name of a file that means standard output. */
export const standardOutput = "-";

/** Refuses --precision with an endpoint, whose model it cannot change. PRECISION in the environment may be meant for other programs. */
export function expectNoPrecisionElsewhere(command: Command, { endpoint }: CaptionFlags): void {
  if (endpoint === undefined || command.getOptionValueSource("precision") !== "cli") return;
  command.error("error: option '--endpoint <url>' cannot be used with option '--precision <name>'");
}

export function expectStateInFile(command: Command, { state }: CaptionFlags): void {
  if (state === undefined || basename(state) !== standardOutput) return;
  command.error("error: expected a file for option '--state <file>', received -");
}

/**
 * Refuses to write anything but JSON lines from a shard. Nothing joins parts of a table or of a page, and several machines that
 * write into one folder of photos would take each other's temporary files for leftovers.
 */
export function expectShardInParts(command: Command, flags: CaptionFlags): void {
  const outputs = ["csv", "html", "txt", "xmp", "embed"] as const;
  const output = outputs.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (flags.shard === undefined || output === undefined) return;
  command.error(
    `error: option '--shard <part>' cannot be used with option '--${output}': use --jsonl, and edge-caption join`,
  );
}

/** Refuses two outputs in one file or on one stream, under any names: each would break the other. */
export function expectOutputsApart(
  command: Command,
  {
    csv,
    html,
    json,
    jsonl,
    state,
  }: Pick<CaptionFlags, "csv" | "html" | "json" | "jsonl"> & { state: string | undefined },
): void {
  const outputsAt = new Map<string, string[]>();
  const files = { "--csv": csv, "--html": html, "--jsonl": jsonl, "--json": json ? standardOutput : undefined };
  for (const [flag, file] of Object.entries({ ...files, "--state": state })) {
    const place = file === undefined ? undefined : outputPlace(file);
    if (place === undefined) continue;
    outputsAt.set(place, [...(outputsAt.get(place) ?? []), flag === "--json" ? flag : `${flag} ${file}`]);
  }
  const printed = outputPlace(standardOutput);
  for (const [place, outputs] of outputsAt) {
    if (outputs.length === 1) continue;
    const where = place === printed ? "on standard output" : "in one file";
    command.error(`error: expected at most one output ${where}, received ${outputs.join(" and ")}`);
  }
}

/** Refuses keywords for outputs that have no place for them. */
export function expectPlaceForKeywords(command: Command, { keywords, xmp, embed, json, jsonl }: CaptionFlags): void {
  if (!keywords || xmp || embed || json || jsonl !== undefined) return;
  command.error("error: expected --xmp, --embed, --json or --jsonl with --keywords, which say where to write them");
}
