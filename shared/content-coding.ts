import { CaptionError, quote } from "./errors.ts";

/**
 * Refuses a body in gzip or another content coding (RFC 9110, 15.5.16), which does not make a photo smaller, while a few
 * bytes may unpack to gigabytes. Throws `unsupported_media_type`.
 */
export function expectNoContentCoding(headers: Headers): void {
  const coding = (headers.get("Content-Encoding") ?? "").trim();
  if (/^(identity)?$/i.test(coding)) return;
  throw new CaptionError(
    "unsupported_media_type",
    `expected a body without Content-Encoding, received one in ${quote(coding)}: send the bytes as they are`,
    { acceptEncoding: "identity" },
  );
}
