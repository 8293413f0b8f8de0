import { type Logger, pino, stdTimeFunctions } from "pino";

export const logLevels = ["error", "info", "debug", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Creates a log of JSON lines on stdout. Never log bytes of a photo, a header or a secret. */
export function createLog(level: LogLevel): Logger {
  return pino({
    level,
    base: null, // log collectors add the host and the process
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
