import { Option } from "commander";

/** For a state that came from another machine. */
export function trustOption(): Option {
  return new Option("--trust-state", "believe a state that was written elsewhere; it is remembered").default(false);
}
