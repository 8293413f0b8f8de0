import { type Command, Option } from "commander";
import { defaultPrecision, precisionChoices } from "../../captioner/engine.ts";
import { defaultMaxBytes } from "../../shared/contract.ts";
import { parseSourceHosts } from "../../shared/source-address.ts";
import { readCount } from "../../terminal/command-line.ts";
import { type AltTextChoice, altTextChoices } from "../outputs/description.ts";
import { type XmpName, xmpNames } from "../outputs/xmp-sidecar.ts";

/** Flags that say whether captions are written beside each photo or into it. */
export interface PhotoOutputFlags {
  txt: boolean;
  xmp: boolean;
  xmpName: XmpName;
  embed: boolean;
  altText?: AltTextChoice;
  overwrite: boolean;
}

/** Adds the options for captions beside photos and inside them to a command. */
export function addPhotoOutputOptions(command: Command): Command {
  return command
    .option("--txt", "photo.txt beside photo.jpg", false)
    .option("--xmp", "XMP sidecars, which photo programs read", false)
    .addOption(
      new Option(
        "--xmp-name <form>",
        "name of the sidecars: full is photo.jpg.xmp (digiKam, Immich), stem is photo.xmp (Lightroom)",
      )
        .choices(xmpNames)
        .default("full"),
    )
    .option("--embed", "the description inside the photo, as XMP and IPTC", false)
    .addOption(
      new Option(
        "--alt-text [only]",
        "with --xmp or --embed, the caption also as alternative text (IPTC), or only so; write --alt-text=only before paths",
      )
        .choices(altTextChoices)
        .preset("beside"),
    )
    .option("--overwrite", "also replace captions that a person or another program wrote", false);
}

/** Refuses options for the metadata of photos where none is written. */
export function expectMetadataFor(command: Command, { xmp, embed, altText }: PhotoOutputFlags): void {
  if (altText !== undefined && !xmp && !embed) {
    command.error("error: expected --xmp or --embed with --alt-text, which say where to write it");
  }
}

/** Makes the option for the number format of the encoder. */
export function precisionOption(): Option {
  return new Option(
    "--precision <name>",
    "number format of the encoder on a CPU; auto is int8 where it is faster on this machine; captions of the two may differ",
  )
    .choices(precisionChoices)
    .default(defaultPrecision)
    .env("PRECISION");
}

/** Makes the option for the size of photos at addresses. Those of one batch are in memory at once. */
export function maxBytesOption(): Option {
  return new Option("--max-bytes <count>", "most bytes of a photo that is read from an address")
    .argParser(readCount)
    .default(defaultMaxBytes);
}

/** Makes the option for the hosts that photos are read from. */
export function sourceHostsOption(): Option {
  return new Option(
    "--source-hosts <hosts>",
    "hosts that https addresses may have: any public one, or a list like photos.example.com,*.example.org",
  )
    .argParser(parseSourceHosts)
    .default("any");
}

/** Makes the option for a state that came from another machine. */
export function trustOption(): Option {
  return new Option(
    "--trust-state",
    "believe a state file that was written elsewhere; given once, it is remembered",
  ).default(false);
}
