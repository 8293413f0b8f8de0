import type * as z from "zod";

/** Parses a line of JSON lines. Throws a sentence that names the line. */
export function parseJsonLine(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place}: expected a JSON object, found something else`, { cause });
  }
}

/** Parses a value by a schema. Throws a sentence with its place and the first problem. */
export function expectForm<Schema extends z.ZodType>(
  schema: Schema,
  { value, place }: { value: unknown; place: string },
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${place}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`, {
    cause: parsed.error,
  });
}
