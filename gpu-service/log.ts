type Fields = Record<string, string | number | boolean | undefined>;

/** Writes one line of JSON on stdout. Never hand it bytes of a photo, a header or a secret. */
export function log(level: "info" | "error", msg: string, fields: Fields = {}): void {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), msg, ...fields })}\n`);
}
