import type { Context } from "hono";
import type * as z from "zod";
import { CaptionError, quote } from "../../shared/errors.ts";
import type { EdgeEnv } from "../context.ts";

/** Writes a place in a list as text for a URL. */
export function writeCursor(place: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(place));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads a place from a request; undefined where it names none. Throws `invalid_request` for what is not one of ours. */
export function readCursor<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined;
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const json = new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new CaptionError("invalid_request", `expected a cursor from an earlier answer, received ${quote(text)}`, {
      cause,
    });
  }
}

/** Refuses query parameters that a route does not know. */
export function expectQuery(c: Context<EdgeEnv>, names: readonly string[]): void {
  const unknown = Object.keys(c.req.query()).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const message = `unknown query parameter ${quote(unknown)}: expected ${names.join(" or ")}`;
  throw new CaptionError("invalid_request", message);
}
