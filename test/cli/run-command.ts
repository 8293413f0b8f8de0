import { repository } from "../../scripts/repository.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { builtProgram } from "../support/built-programs.ts";
import { type Run, runNode } from "../support/run-node.ts";

/** What starts the command, for whoever spawns it. */
export const commandLine = [builtProgram("edge-caption")];

/** Runs the command as a person does, in a process of its own, in a folder. */
export function edgeCaptionIn(cwd: string, ...args: string[]): Promise<Run> {
  return runNode([...commandLine, ...args], { cwd });
}

/** The same in the repository. */
export function edgeCaption(...args: string[]): Promise<Run> {
  return edgeCaptionIn(repository, ...args);
}

/** Captions with the tiny bundle, which takes a millisecond a photo. */
export function captionTiny(cwd: string, ...args: string[]): Promise<Run> {
  return edgeCaptionIn(cwd, "caption", "--model-dir", tinyBundle, ...args);
}
