import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { setTimeout } from "node:timers/promises";

/** An HTTP server of a test's own. Whoever starts it stops it. */
export interface MadeServer {
  origin: string;
  port: number;
  /** Ends it, whoever is connected, and listens on the same port again after a while. */
  restart(goneMs: number): Promise<void>;
  /** Ends it, whoever is connected. */
  stop(): Promise<void>;
}

/** Starts an HTTP server on a port that nobody else has, on this machine alone; with `tls` it speaks HTTPS. */
export async function startMadeServer(
  listener: RequestListener,
  { tls }: { tls?: { key: string; cert: string } } = {},
): Promise<MadeServer> {
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`expected a port, received ${address}`);
  const { port } = address;
  const stop = async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  };
  return {
    origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    async restart(goneMs) {
      await stop();
      await setTimeout(goneMs);
      await once(server.listen(port, "127.0.0.1"), "listening");
    },
    stop,
  };
}
