import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Precision } from "../captioner/engine.ts";

type Listening = Pick<RunningService, "precision"> & { port: number };

export interface RunningService {
  origin: string;
  pid: number;
  /** Keeps connections to it. */
  agent: Agent;
  /** What its encoder is computed in. */
  precision: Precision;
  /** Seconds from its start until it is ready. */
  startSeconds: number;
  stop(): Promise<void>;
}

/** Starts the service on the shipped bundle, in a process of its own that ends with this one, unsigned, on any free port; resolves when it is ready. */
export async function startService(environment: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const entry = fileURLToPath(new URL("../gpu-service/main.ts", import.meta.url));
  const begun = performance.now();
  const child = spawn(process.execPath, ["--import", tsx, entry], {
    env: { ...process.env, PORT: "0", ALLOW_UNSIGNED: "true", ENGINE: "onnx", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill); // its engines end with it
  void exited.then(() => process.off("exit", kill));
  const { port, precision } = await new Promise<Listening>((resolve, reject) => {
    const lines = createInterface(child.stdout);
    lines.on("line", (line) => {
      const said = JSON.parse(line);
      if (said.msg !== "listening") return;
      lines.close();
      resolve(said);
    });
    void exited.then((code) => reject(new Error(`the service ended with ${code} before it was ready`)));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the service could not be started");
  child.stdout.resume(); // the log continues, unread
  const agent = new Agent({ keepAlive: true });
  return {
    origin: `http://127.0.0.1:${port}`,
    pid,
    agent,
    precision,
    startSeconds: (performance.now() - begun) / 1000,
    async stop() {
      agent.destroy();
      child.kill();
      await exited;
    },
  };
}

/** Has a photo captioned; throws if it is not. By Node's own client, which takes less of the cores than `fetch`. */
export async function captionOver({ origin, agent }: RunningService, photo: Uint8Array): Promise<void> {
  const headers = { "Content-Length": photo.length };
  const post = request(`${origin}/v1/captions`, { method: "POST", agent, headers });
  post.end(photo);
  const [response] = (await once(post, "response")) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(answer);
}

/** Resident MiB of the service and its engine, from its metrics. */
export async function memoryMiBOf(service: Pick<RunningService, "origin">): Promise<number> {
  const server = await metricOf(service, "process_resident_memory_bytes");
  return (server + (await metricOf(service, 'edge_caption_engine_memory_bytes{engine="0"}'))) / 2 ** 20;
}

/** CPU seconds that its engine has spent in the model, from its metrics. */
export function engineSecondsOf(service: RunningService): Promise<number> {
  return metricOf(service, 'edge_caption_engine_cpu_seconds_total{engine="0"}');
}

async function metricOf({ origin }: Pick<RunningService, "origin">, name: string): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return Number(
    metrics
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length),
  );
}
