import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { startMadeServer } from "../../made-server.ts";
import { Link } from "./link.ts";

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

async function linkTo(port: number): Promise<Link> {
  const link = await Link.to(port);
  onTestFinished(() => link.close());
  return link;
}

/** Asks over a connection of its own unless an agent keeps one. */
async function ask({ origin }: Link, agent = new Agent()): Promise<string> {
  const question = get(origin, { agent });
  const [response] = (await once(question, "response")) as [IncomingMessage];
  return text(response);
}

test("passes questions and answers on", async () => {
  const link = await linkTo(await namedServer("one"));
  expect(await ask(link)).toBe("one");
});

test("breaks connections while it is cut, those that stand and new ones", async () => {
  const link = await linkTo(await namedServer("one"));
  const agent = new Agent({ keepAlive: true });
  await ask(link, agent);
  link.cut();
  await expect(ask(link, agent)).rejects.toThrow(/ECONNRESET|hang up/);
  await expect(ask(link)).rejects.toThrow(/ECONNRESET|hang up/);
  link.mend();
  expect(await ask(link)).toBe("one");
});

test("keeps silent, on connections that stand and on new ones, and passes on what it held back when mended", async () => {
  let timesAsked = 0;
  const link = await linkTo(await namedServer("one", { onAsked: () => void timesAsked++, delayMs: 100 }));
  const agent = new Agent({ keepAlive: true });
  await ask(link, agent);
  const heard: string[] = [];
  const hear = async (answer: Promise<string>) => void heard.push(await answer);
  const underWay = hear(ask(link));
  await vi.waitUntil(() => timesAsked === 2);
  link.silence();
  const held = [underWay, hear(ask(link, agent)), hear(ask(link))];
  await setTimeout(300);
  expect({ heard, timesAsked }).toEqual({ heard: [], timesAsked: 2 });
  link.mend();
  await Promise.all(held);
  expect(heard).toEqual(["one", "one", "one"]);
  agent.destroy();
});

test("leads new connections elsewhere and leaves those that stand", async () => {
  const link = await linkTo(await namedServer("one"));
  const agent = new Agent({ keepAlive: true });
  await ask(link, agent);
  link.lead(await namedServer("two"));
  expect(await ask(link, agent)).toBe("one");
  expect(await ask(link)).toBe("two");
  agent.destroy();
});
