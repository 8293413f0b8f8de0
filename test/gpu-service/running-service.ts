import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Priority } from "../../shared/priority.ts";
import { type Problem, problemSchema } from "../../shared/problem.ts";
import { signatureHeaders } from "../../shared/signature.ts";
import { builtProgram } from "../support/built-programs.ts";
import { keepOutput } from "../support/kept-output.ts";
import { secretMark } from "../support/leaks.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const logLineSchema = z.looseObject({ msg: z.string() });
const listeningSchema = z.object({ msg: z.literal("listening"), port: z.int() });

export const tinyBundle = fileURLToPath(new URL("../fixtures/tiny-bundle", import.meta.url));
export const secret = `a secret of the tests ${secretMark}`;

/** Undefined takes a variable away. */
type Environment = Record<string, string | undefined>;

type LogLine = z.infer<typeof logLineSchema>;

export interface RunningService {
  origin: string;
  process: ChildProcess;
  /** What it has logged up to now. */
  logged: LogLine[];
  /** What it has written to stderr up to now. */
  complaints: string[];
  /** Its exit code, when it has ended. */
  exited: Promise<number | null>;
  /** Sends SIGTERM, or another signal; resolves to the exit code when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The real service in a process of its own, on the tiny bundle and a free port; resolves when it says that it listens. */
export async function startService(
  environment: Environment = {},
  child: ChildProcessByStdio<null, Readable, Readable> = spawnService(environment),
): Promise<RunningService> {
  const exited = once(child, "exit").then(([code]): number | null => code);
  const logged: LogLine[] = [];
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const entry = logLineSchema.parse(JSON.parse(line));
      logged.push(entry);
      const { success, data } = listeningSchema.safeParse(entry);
      if (success) resolve(data.port);
    });
    void exited.then((code) => reject(new Error(`the service ended with ${code}: ${complaints.join(" ")}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    process: child,
    logged,
    complaints,
    exited,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return exited;
    },
  };
}

/** Runs a service that is expected to end by itself. */
export async function runService(environment: Environment, args: string[] = []) {
  const child = spawnService(environment, args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { stdout, stderr, code };
}

export function spawnService(environment: Environment, args: string[] = []) {
  const child = spawn(process.execPath, [builtProgram("service"), ...args], {
    cwd: repository,
    env: { PATH: process.env.PATH, PORT: "0", MODEL_DIR: tinyBundle, SERVICE_SECRETS: secret, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepOutput(child, "service");
  return child;
}

interface SignedPost {
  target?: string;
  headers?: Record<string, string>;
  /** What the signature is for, where that is not what is sent. */
  signedBody?: Uint8Array;
  secret?: string;
  /** Whose photo it is, by the edge's word. */
  caller?: string;
  priority?: Priority;
  nowMs?: number;
  /** Gives up, as a client that leaves. */
  signal?: AbortSignal;
}

/** The headers of a signed `POST /v1/captions`. */
export function signedHeaders(
  body: Uint8Array,
  { target = "/v1/captions", secret: key = secret, caller, priority, nowMs = Date.now() }: SignedPost = {},
): Promise<Record<string, string>> {
  const bodyHash = new Uint8Array(createHash("sha256").update(body).digest());
  return signatureHeaders({ method: "POST", target, bodyHash, caller, priority }, { secret: key, nowMs });
}

/** Posts a photo as the edge does. */
export async function postCaption(
  { origin }: { origin: string },
  body: Uint8Array<ArrayBuffer>,
  options: SignedPost = {},
): Promise<Response> {
  const headers = { ...(await signedHeaders(options.signedBody ?? body, options)), ...options.headers };
  const { target = "/v1/captions", signal = null } = options;
  return fetch(`${origin}${target}`, { method: "POST", headers, body, signal });
}

/** What the service tells Prometheus. */
export async function metricsOf({ origin }: { origin: string }): Promise<string> {
  return (await fetch(`${origin}/metrics`)).text();
}

/** The problem document that a response must be. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("Content-Type");
  if (type !== "application/problem+json") throw new Error(`expected a problem document, received ${type}`);
  return problemSchema.parse(await response.json());
}
