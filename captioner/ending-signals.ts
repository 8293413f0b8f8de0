/**
 * Signals by which a service is asked to end: by a host (SIGTERM), at a terminal (SIGINT, SIGQUIT, and SIGHUP when it is
 * closed), by what restarts programs (SIGUSR2), by a container's or machine's power-off (SIGPWR), by a batch system whose time
 * is up (SIGXCPU), and by Windows (SIGBREAK). SIGUSR1 is Node's own, and opens its debugger.
 */
export const endingSignals = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR2",
  "SIGPWR",
  "SIGXCPU",
  "SIGBREAK",
] as const satisfies NodeJS.Signals[];
