import * as z from "zod";
import { CaptionError } from "../shared/errors.ts";

/** Parses text that came from outside by its schema. Throws what JSON or zod threw. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(text));
}

/** Parses a caller's JSON. Throws `invalid_request` that says what was expected where. */
export function parseRequestJson<T>(text: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(readJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") || "the JSON body";
  throw new CaptionError("invalid_request", `${place}: ${issue?.message ?? z.prettifyError(parsed.error)}`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CaptionError("invalid_request", "expected a JSON body, received what does not parse as JSON", { cause });
  }
}
