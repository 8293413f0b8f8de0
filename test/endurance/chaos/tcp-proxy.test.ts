import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { startMadeServer } from "../../support/made-server.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** A server that answers with its name, having told that it was asked; its port. */
async function namedServer(name: string, { onAsked = () => {}, delayMs = 0 } = {}): Promise<number> {
  const { port, stop } = await startMadeServer(async (_, response) => {
    onAsked();
    await setTimeout(delayMs);
    response.end(name);
  });
  onTestFinished(stop);
  return port;
}

async function proxyTo(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.to(port);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Asks over a connection of its own unless an agent keeps one. */
async function ask({ origin }: TcpProxy, agent = new Agent()): Promise<string> {
  const question = get(origin, { agent });
  const [response] = (await once(question, "response")) as [IncomingMessage];
  return text(response);
}

test("passes questions and answers on", async () => {
  const proxy = await proxyTo(await namedServer("one"));
  expect(await ask(proxy)).toBe("one");
});

test("breaks connections while it is cut, those that stand and new ones", async () => {
  const proxy = await proxyTo(await namedServer("one"));
  const agent = new Agent({ keepAlive: true });
  await ask(proxy, agent);
  proxy.cut();
  await expect(ask(proxy, agent)).rejects.toThrow(/ECONNRESET|hang up/);
  await expect(ask(proxy)).rejects.toThrow(/ECONNRESET|hang up/);
  proxy.mend();
  expect(await ask(proxy)).toBe("one");
});

test("keeps silent, on connections that stand and on new ones, and passes on what it held back when mended", async () => {
  let timesAsked = 0;
  const proxy = await proxyTo(await namedServer("one", { onAsked: () => void timesAsked++, delayMs: 100 }));
  const agent = new Agent({ keepAlive: true });
  await ask(proxy, agent);
  const heard: string[] = [];
  const hear = async (answer: Promise<string>) => void heard.push(await answer);
  const underWay = hear(ask(proxy));
  await vi.waitUntil(() => timesAsked === 2);
  proxy.silence();
  const held = [underWay, hear(ask(proxy, agent)), hear(ask(proxy))];
  await setTimeout(300);
  expect({ heard, timesAsked }).toEqual({ heard: [], timesAsked: 2 });
  proxy.mend();
  await Promise.all(held);
  expect(heard).toEqual(["one", "one", "one"]);
  agent.destroy();
});

test("leads new connections elsewhere and leaves those that stand", async () => {
  const proxy = await proxyTo(await namedServer("one"));
  const agent = new Agent({ keepAlive: true });
  await ask(proxy, agent);
  proxy.lead(await namedServer("two"));
  expect(await ask(proxy, agent)).toBe("one");
  expect(await ask(proxy)).toBe("two");
  agent.destroy();
});
