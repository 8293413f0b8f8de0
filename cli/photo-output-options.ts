import { type Command, Option } from "commander";
import { type XmpName, xmpNames } from "./outputs/xmp-sidecar.ts";

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
