import { type Command, Option } from "commander";
import { defaultPrecision, precisionChoices } from "../../captioner/engine.ts";
import { type XmpName, xmpNames } from "../outputs/xmp-sidecar.ts";

/** Where captions are written, of each photo: beside it and into it. */
export interface PhotoOutputFlags {
  txt: boolean;
  xmp: boolean;
  xmpName: XmpName;
  embed: boolean;
  overwrite: boolean;
}

/** Adds those options to a command. */
export function addPhotoOutputOptions(command: Command): Command {
  return command
    .option("--txt", "photo.txt beside photo.jpg", false)
    .option("--xmp", "XMP sidecars, which photo programs read", false)
    .addOption(
      new Option("--xmp-name <form>", "full: photo.jpg.xmp (digiKam, Immich); stem: photo.xmp (Lightroom)")
        .choices(xmpNames)
        .default("full"),
    )
    .option("--embed", "the description inside the photo, XMP and IPTC", false)
    .option("--overwrite", "also captions that somebody else wrote", false);
}

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

/** For a state that came from another machine. */
export function trustOption(): Option {
  return new Option("--trust-state", "believe a state that was written elsewhere; it is remembered").default(false);
}
