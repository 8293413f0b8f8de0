import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Bench, median } from "./bench.ts";

const rounds = 3;

export const serviceStart: Bench = {
  name: "service-start",
  about: "seconds from the service's start to ready, shipped bundle; at most 5",
  async run() {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await startOnce());
    const number = median(seconds);
    return { number, ours: `${number.toFixed(2)} s, median of ${rounds}`, peer: "none" };
  },
};

/** Starts the service in a process of its own and ends it when it says that it is ready. */
async function startOnce(): Promise<number> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const entry = fileURLToPath(new URL("../gpu-service/main.ts", import.meta.url));
  const begun = performance.now();
  const child = spawn(process.execPath, ["--import", tsx, entry], {
    env: { ...process.env, PORT: "0", ALLOW_UNSIGNED: "true" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    for await (const line of createInterface(child.stdout)) {
      if (JSON.parse(line).msg === "listening") return (performance.now() - begun) / 1000;
    }
    throw new Error("the service ended before it was ready");
  } finally {
    child.kill();
    await exited;
  }
}
