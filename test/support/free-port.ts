import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const { port, server } = await takePort();
  await once(server.close(), "close");
  return port;
}

/** A port that somebody listens on, until the server is closed. */
export async function takePort(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`expected a port, received ${address}`);
  return { port: address.port, server };
}
