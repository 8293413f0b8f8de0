import type { Server } from "node:http";
import type { Logger } from "pino";
import { endingSignals } from "../../captioner/ending-signals.ts";
import { close } from "./http-server.ts";
import type { Lifecycle } from "./lifecycle.ts";

const lastSecondMs = 1000;

interface Drainable {
  /** Those that listen by now. */
  servers: readonly Server[];
  lifecycle: Lifecycle;
  drainSeconds: number;
  log: Logger;
}

/** Has whatever asks the process to end drain it first, and end with code 0. A second signal ends at once. */
export function drainOnSignal(service: Drainable): void {
  for (const signal of endingSignals) {
    process.on(signal, () => {
      if (service.lifecycle.isDraining) process.exit(1);
      service.log.info({ signal, admitted: service.lifecycle.admission.requests }, "draining");
      void drain(service, 0);
    });
  }
}

/**
 * Takes no new request, finishes the admitted ones and ends the process. Those that are not done after `drainSeconds` are
 * answered with 503; who has not taken that answer a second later is cut off.
 */
export async function drain({ servers, lifecycle, drainSeconds, log }: Drainable, exitCode: 0 | 1): Promise<void> {
  setTimeout(() => {
    log.error({ admitted: lifecycle.admission.requests }, "gave up on admitted requests");
    lifecycle.giveUp();
    setTimeout(() => void end(lifecycle, exitCode), lastSecondMs);
  }, drainSeconds * 1000);
  // still listening, so that a load balancer that lags behind gets a 503 and not a refused connection
  await lifecycle.drain();
  await Promise.all(servers.map(close));
  await end(lifecycle, exitCode);
}

async function end(lifecycle: Lifecycle, exitCode: 0 | 1): Promise<void> {
  await lifecycle.end();
  process.exit(exitCode);
}
