import { type Logger, pino, stdTimeFunctions } from "pino";

export const logLevels = ["error", "info", "debug", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Lines of JSON on stdout. Never hand it bytes of a photo, a header or a secret. */
export function createLog(level: LogLevel): Logger {
  return pino({
    level,
    base: null, // whoever collects the lines knows the host and the process
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
