import type { GroupCommand } from "../../../scripts/start/process-group.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { LoadedRequest } from "./steady-load.ts";
import type { TestDeployment } from "./test-deployment.ts";

/** What a fault works on. */
export interface Scene {
  deployment: TestDeployment;
  /** The bundle in service: a copy that may be spoiled. */
  modelDir: string;
  /** A folder of the fault's own. */
  folder: string;
  /** What has ended so far, of the load that goes on beside it. */
  requests: readonly LoadedRequest[];
  /** Lets time pass. */
  hold(seconds: number): Promise<void>;
  /** Resolves when it is so; what is not so within those seconds is a broken promise. */
  until(isSo: () => boolean | Promise<boolean>, limit: { seconds: number; what: string }): Promise<void>;
  /** What is not so is a broken promise. */
  expect(isSo: boolean, what: string): void;
  /** Something seen that a reader should know. */
  note(text: string): void;
  /** From now on nothing is broken any more but what mends itself. */
  mended(): void;
}

/** Something that breaks, and what was promised for when it does. */
export interface Fault {
  name: string;
  /** What is done. */
  about: string;
  /** What the documentation says of it. */
  promise: string;
  /** With what photos may be refused that are new to the edge. Those that it knows are answered whatever happens. */
  mayRefuse: readonly ErrorCode[];
  /** In which new photos are captioned again, from when it is mended. */
  recoverySeconds: number;
  /** Whether photos that the edge knows may need the model, too. */
  mayMiss?: true;
  /** Whether clients may find nobody to talk to for a while. */
  mayCutOff?: true;
  /** Changes how the service is started. */
  service?: (program: GroupCommand, folder: string) => GroupCommand;
  /** Why it cannot be tried on this machine, if so. */
  obstacle?: () => string | undefined;
  run(scene: Scene): Promise<void>;
}
