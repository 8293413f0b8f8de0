import { Option } from "commander";
import { defaultPrecision, precisionChoices } from "../captioner/engine.ts";

/** Of the commands that caption, or tell what is captioned. */
export function precisionOption(): Option {
  return new Option(
    "--precision <name>",
    "what the encoder is computed in on a CPU; auto is int8 where this machine gains by it; captions of the two may differ",
  )
    .choices(precisionChoices)
    .default(defaultPrecision)
    .env("PRECISION");
}
