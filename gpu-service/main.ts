import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import * as z from "zod";
import { startCaptioner } from "../captioner/captioner.ts";
import { createApp, createMetricsApp } from "./http/app.ts";
import { drain, drainOnSignal, listen } from "./http/http-server.ts";
import { Lifecycle } from "./http/lifecycle.ts";
import { createLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { watchSecrets } from "./secrets.ts";
import { describeSettings, readSettings, type Settings } from "./settings.ts";
import type { Traces } from "./traces.ts";

const [argument] = process.argv.slice(2);
if (argument === "--help") {
  process.stdout.write(
    `The captioning service: POST /v1/captions, GET /v1/model, /livez, /readyz, /metrics.\n\nSettings, from the environment:\n${describeSettings()}\n`,
  );
} else if (argument !== undefined) {
  exitWith(2, new Error(`expected no argument but --help, received ${argument}: settings come from the environment`));
} else {
  await serve(readSettingsOrExit());
}

/** Listens at once, so that /livez answers while the engines load, and takes requests when they are warm. */
async function serve(settings: Settings): Promise<void> {
  setFlagsFromString("--heap-growing-percent=400"); // photos are outside V8's heap: see docs/decisions/service.md
  const { host, metricsPort, secretsFile, drainSeconds, maxQueued, maxQueuedBytes, bulkShare, tracesUrl, logLevel } =
    settings;
  const log = createLog(logLevel);
  const lifecycle = new Lifecycle({ maxRequests: maxQueued, maxBytes: maxQueuedBytes, bulkShare });
  const metrics = new Metrics(lifecycle);
  const traces = tracesUrl === undefined ? undefined : await startTraces(tracesUrl, log);
  const servers: Server[] = [];
  const service = { servers, lifecycle, drainSeconds, traces, log };
  drainOnSignal(service);
  try {
    const secrets = secretsFile === undefined ? () => settings.secrets : await watchSecrets(secretsFile, log);
    const { server, port } = await listen(createApp({ settings, secrets, lifecycle, metrics, traces, log }), settings);
    servers.push(server);
    const metricsServer =
      metricsPort === undefined
        ? undefined
        : await listen(createMetricsApp({ lifecycle, metrics, log }), {
            host,
            port: metricsPort,
            name: "METRICS_PORT",
          });
    if (metricsServer !== undefined) servers.push(metricsServer.server);
    const captioner = await startCaptioner(settings, {
      onBatch: (photos) => metrics.onBatch(photos),
      onLost(lost) {
        metrics.onLost(lost);
        log.error({ reason: lost.reason, error: lost.message }, "replacing an engine");
      },
      onReplaced: ({ name, device, isFallback }) =>
        log.info({ engine: name, device, isFallback }, "replaced an engine"),
      onFailedStart: ({ message }) => log.error({ error: message }, "starting an engine again"),
    });
    lifecycle.open(captioner);
    const { revision } = captioner.card;
    const { expected: engines } = captioner.state().engines;
    const { name: engine, device, precision, reason, isFallback } = captioner.engine();
    log.info(
      {
        host,
        port,
        metricsPort: metricsServer?.port,
        revision,
        engine,
        device,
        precision,
        reason,
        isFallback,
        engines,
      },
      "listening",
    );
    reportError(await captioner.gaveUp);
    await drain(service, 1); // admitted requests are answered first
  } catch (error) {
    exitWith(1, error);
  }
}

/** Loads OpenTelemetry's SDK, which is an optional part of the package. Ends with a sentence where it is not installed. */
async function startTraces(url: string, log: Logger): Promise<Traces> {
  try {
    const { Traces } = await import("./traces.ts");
    return new Traces({ url, log });
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
    if (!isMissing) return exitWith(1, cause);
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const { peerDependencies } = z.object({ peerDependencies: z.record(z.string(), z.string()) }).parse(manifest);
    const packages = Object.entries(peerDependencies).filter(([name]) => name.startsWith("@opentelemetry/"));
    const names = packages.map(([name, version]) => `${name}@${version}`).join(" ");
    return exitWith(1, new Error(`traces need OpenTelemetry's SDK, which is not installed: npm install ${names}`));
  }
}

function readSettingsOrExit(): Settings {
  try {
    return readSettings();
  } catch (error) {
    return exitWith(2, error);
  }
}

function exitWith(exitCode: 1 | 2, error: unknown): never {
  reportError(error);
  process.exit(exitCode);
}

function reportError(error: unknown): void {
  process.stderr.write(`edge-caption service: ${error instanceof Error ? error.message : error}\n`);
}
