import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { photoPath } from "../fixtures/real-photos.ts";
import { type MadeServer, startMadeServer } from "./made-server.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

/** What a web site does with a request for a photo, by path: the right thing, and what sites do instead. */
const answers: Record<string, Answer> = {
  "/photo.jpg": async (_, response) => {
    response.setHeader("Content-Type", "image/jpeg").end(await readFile(photoPath("astronaut")));
  },
  "/untyped": async (_, response) => void response.end(await readFile(photoPath("astronaut"))),
  "/chunked": async (_, response) => {
    response.write((await readFile(photoPath("coffee"))).subarray(0, 1000));
    response.end((await readFile(photoPath("coffee"))).subarray(1000));
  },
  "/changing": async (_, response) => {
    const name = changes++ % 2 === 0 ? "chelsea" : "rocket";
    response.setHeader("Cache-Control", "public, max-age=3600").end(await readFile(photoPath(name)));
  },
  "/headers": (request, response) => {
    response.writeHead(404, { "Content-Type": "text/plain" }).end();
    lastHeaders = JSON.stringify(request.headers);
  },
  "/last-headers": (_, response) => void response.end(lastHeaders),
  "/redirect": (_, response, url) => {
    response.writeHead(302, { Location: url.searchParams.get("to") ?? "/photo.jpg" }).end("elsewhere");
  },
  "/circle": (_, response) => void response.writeHead(301, { Location: "/circle" }).end(),
  "/page": (_, response) => void response.setHeader("Content-Type", "text/html; charset=utf-8").end("<p>no photo</p>"),
  "/empty": (_, response) => void response.setHeader("Content-Type", "image/jpeg").end(),
  "/large": (_, response) => {
    response.writeHead(200, { "Content-Length": 100_000_000 }).write("x");
  },
  "/endless": (request, response) => {
    const more = () => {
      if (request.destroyed) return;
      if (response.write(Buffer.alloc(64 * 1024, 0xff))) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  },
  "/silent": () => undefined,
  "/stalls": (_, response) => void response.writeHead(200, { "Content-Length": 1000 }).write("x"),
  "/declares-much": (_, response) =>
    void response.writeHead(200, { "Content-Length": 20 * 2 ** 20 }).write(Buffer.alloc(100_000)),
  "/breaks-off": (_, response) => {
    response.writeHead(200, { "Content-Length": 1000 }).write("x", () => response.destroy());
  },
};

let changes = 0;
let lastHeaders = "";

/** Starts the site on a port of its own. */
export function startPhotoSources(): Promise<MadeServer> {
  return startMadeServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://site");
    const answer = answers[url.pathname];
    if (answer === undefined) response.writeHead(404).end();
    else await answer(request, response, url);
  });
}
