import { once } from "node:events";
import { createServer } from "node:net";

export const host = "127.0.0.1";

/** The port, if nobody listens on it; throws a sentence otherwise. 0 gives any free port. */
export async function expectFree(port: number, { option }: { option: string }): Promise<number> {
  const free = await freePort(port);
  if (free !== undefined) return free;
  throw new Error(`port ${port} is taken: end what listens there, or choose another with ${option} (0 takes any)`);
}

/** The port if it is free, any other if it is not. */
export async function preferFree(port: number): Promise<number> {
  return (await freePort(port)) ?? expectFree(0, { option: "" });
}

async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), "listening");
  } catch {
    return undefined;
  }
  const address = server.address();
  await once(server.close(), "close");
  return typeof address === "object" ? address?.port : undefined;
}
