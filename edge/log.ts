/** Writes one line of JSON; Workers Logs makes its fields searchable. */
export function log(level: "info" | "warn" | "error", msg: string, fields: Record<string, unknown> = {}): void {
  // biome-ignore lint/suspicious/noConsole: a Worker's log is its console
  console[level](JSON.stringify({ level, msg, ...fields }));
}

/** Describes an error and its causes as JSON. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
