import { once, setMaxListeners } from "node:events";
import { connect, type Socket } from "node:net";
import type { Fault, Scene } from "../fault.ts";

const mebibyte = 2 ** 20;
const attackSeconds = 10;
/** What each connection declares and never sends, again and again: together as much as an isolate has for uploads. */
const declaredBytes = [20, 20, 20, 4].map((size) => size * mebibyte);
const trickles = 40;
const pieceBytes = 64 * 1024;

export const holdConnections: Fault = {
  name: "hold-connections",
  about:
    "four connections declare 64 MiB and send a byte, forty more send a byte a second, look-ups among them, for 10 s",
  promise: "they get 408, and nobody else notices: everything else is answered, look-ups too",
  mayRefuse: [],
  recoverySeconds: 2,
  async run(scene) {
    const ending = AbortSignal.timeout(1000 * attackSeconds);
    setMaxListeners(declaredBytes.length + trickles, ending);
    const held = [
      ...declaredBytes.map((length) => holdOpen(scene, { path: "/v1/captions", length, ending })),
      ...Array.from({ length: trickles }, (_, index) => {
        const path = index % 2 === 0 ? "/v1/captions" : "/v1/captions/lookup";
        return holdOpen(scene, { path, length: 10_000, ending });
      }),
    ];
    const lookUps = await lookUpUntil(scene, ending);
    const answers = (await Promise.all(held)).flat();
    scene.mended();
    scene.expect(
      answers.length >= held.length && answers.every((status) => status === "408"),
      "what stands still gets 408",
    );
    scene.expect(lookUps.length > 0 && lookUps.every((status) => status === 200), "look-ups are answered meanwhile");
    scene.note(`${answers.length} connections were ended, ${lookUps.length} look-ups answered`);
  },
};

export const postToRoot: Fault = {
  name: "post-to-root",
  about:
    "2 MB are posted to the page, 25 MiB in chunks to the photos' route, and clients leave in the middle of both, for 10 s",
  promise: "they get 405 and 413, and nobody else notices: the runtime continues, and no request is lost",
  mayRefuse: [],
  recoverySeconds: 2,
  async run(scene) {
    const endsAtMs = performance.now() + 1000 * attackSeconds;
    const statuses: string[] = [];
    while (performance.now() < endsAtMs) {
      statuses.push(await post(scene, { path: "/", bytes: 2_000_000, isChunked: false }));
      statuses.push(await post(scene, { path: "/v1/captions", bytes: 25 * mebibyte, isChunked: true }));
      await leave(scene, "/");
      await leave(scene, "/v1/captions");
      await scene.hold(0.1);
    }
    scene.mended();
    scene.expect(
      statuses.every((status, index) => status === (index % 2 === 0 ? "405" : "413")),
      `posts to the page get 405, those that are too large 413; they got ${[...new Set(statuses)].join(", ")}`,
    );
    scene.note(`${statuses.length} posts were refused`);
  },
};

interface HeldRequest {
  path: string;
  length: number;
  ending: AbortSignal;
}

/** Sends a byte a second until it is refused, then starts again. Returns the statuses of the refusals. */
async function holdOpen(scene: Scene, { path, length, ending }: HeldRequest): Promise<string[]> {
  const statuses: string[] = [];
  while (!ending.aborted) {
    const socket = await open(scene, `POST ${path} HTTP/1.1\r\nHost: edge\r\nContent-Length: ${length}\r\n\r\n`);
    const trickle = setInterval(() => socket.write("x"), 1000);
    const leave = () => socket.destroy();
    ending.addEventListener("abort", leave);
    const status = await statusOf(socket);
    clearInterval(trickle);
    ending.removeEventListener("abort", leave);
    if (status !== "none") statuses.push(status);
  }
  return statuses;
}

async function lookUpUntil({ deployment, hold }: Scene, ending: AbortSignal): Promise<number[]> {
  const statuses: number[] = [];
  const body = JSON.stringify({ ids: [`sha256:${"0".repeat(64)}`] });
  while (!ending.aborted) {
    const headers = { "Content-Type": "application/json", Connection: "close" };
    const response = await fetch(`${deployment.edge}/v1/captions/lookup`, { method: "POST", headers, body });
    await response.arrayBuffer();
    statuses.push(response.status);
    await hold(0.5);
  }
  return statuses;
}

async function post(
  scene: Scene,
  { path, bytes, isChunked }: { path: string; bytes: number; isChunked: boolean },
): Promise<string> {
  const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes}`;
  const socket = await open(scene, `POST ${path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n${framing}\r\n\r\n`);
  const status = statusOf(socket);
  for (let left = bytes; left > 0 && socket.writable; left -= pieceBytes) {
    const piece = Buffer.alloc(Math.min(left, pieceBytes), 7);
    if (isChunked) socket.write(`${piece.length.toString(16)}\r\n`);
    const hasRoom = socket.write(piece);
    if (isChunked) socket.write("\r\n");
    if (!hasRoom) await Promise.race([once(socket, "drain"), status]);
  }
  if (isChunked && socket.writable) socket.write("0\r\n\r\n");
  return status;
}

async function leave(scene: Scene, path: string): Promise<void> {
  const socket = await open(scene, `POST ${path} HTTP/1.1\r\nHost: edge\r\nContent-Length: 4000000\r\n\r\n`);
  socket.write(Buffer.alloc(1000));
  await scene.hold(0.02);
  socket.destroy();
}

async function open({ deployment }: Scene, head: string): Promise<Socket> {
  const { hostname, port } = new URL(deployment.edge);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined); // its end reports it
  await once(socket, "connect");
  socket.write(head);
  return socket;
}

/** Returns the status of the first answer, or "none" if the connection ends without one. */
function statusOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (data) => {
      resolve(data.toString("latin1").split(" ")[1] ?? "none");
      socket.destroy();
    });
    socket.once("close", () => resolve("none"));
  });
}
