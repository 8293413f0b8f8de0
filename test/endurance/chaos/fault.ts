import type { GroupCommand } from "../../../scripts/start/process-group.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { LoadedRequest } from "./steady-load.ts";
import type { TestDeployment } from "./test-deployment.ts";

/** The deployment that a fault breaks, and ways to wait and to report. */
export interface Scene {
  deployment: TestDeployment;
  /** The bundle in service: a copy that may be spoiled. */
  modelDir: string;
  /** What the fault's `fill` has returned. */
  apiKey: string;
  /** A folder of the fault's own. */
  folder: string;
  /** Requests of the load beside it that have ended so far. */
  requests: readonly LoadedRequest[];
  /** Waits. */
  hold(seconds: number): Promise<void>;
  /** Resolves when the condition holds. A condition that does not hold in time is a broken promise. */
  until(isSo: () => boolean | Promise<boolean>, limit: { seconds: number; what: string }): Promise<void>;
  /** Counts a condition that does not hold as a broken promise. */
  expect(isSo: boolean, what: string): void;
  /** Records an observation for the report. */
  note(text: string): void;
  /** Marks the moment from which nothing is broken except what recovers by itself. */
  mended(): void;
}

/** A fault, and what the product promises during it. */
export interface Fault {
  name: string;
  /** What the fault does. */
  about: string;
  /** The documentation's promise for it. */
  promise: string;
  /** Codes with which photos new to the edge may be refused. Those that it knows are always answered. */
  mayRefuse: readonly ErrorCode[];
  /** Time from the end of the fault until new photos are captioned again. */
  recoverySeconds: number;
  /** Whether photos that the edge knows may need the model too. */
  mayMiss?: true;
  /** Whether connections may be refused or broken for a while. */
  mayCutOff?: true;
  /** Changes the command that starts the service. */
  service?: (program: GroupCommand, folder: string) => GroupCommand;
  /** Puts into the edge's state what the fault needs, before the edge is started. Returns a key that the edge knows. */
  fill?: (stateDir: string) => Promise<string>;
  /** Returns why the fault cannot be tried on this machine; undefined if it can. */
  obstacle?: () => string | undefined;
  run(scene: Scene): Promise<void>;
}
