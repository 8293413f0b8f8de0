const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Has a signal end this program as `process.exit` does, which ends what it has started; by itself Node would leave that running. */
export function exitOnSignal(): void {
  for (const [signal, code] of Object.entries(exitCodes)) process.once(signal, () => process.exit(code));
}
