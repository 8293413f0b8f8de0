import { createApp } from "./app.ts";
import { startCaptioner } from "./captioner.ts";
import { drain, drainOnSignal } from "./drain.ts";
import { listen } from "./http-server.ts";
import { Lifecycle } from "./lifecycle.ts";
import { log } from "./log.ts";
import { describeSettings, readSettings, type Settings } from "./settings.ts";

const [argument] = process.argv.slice(2);
if (argument === "--help") {
  process.stdout.write(
    `The captioning service: POST /v1/captions, GET /v1/model, /livez, /readyz.\n\nSettings, from the environment:\n${describeSettings()}\n`,
  );
} else if (argument !== undefined) {
  stop(2, new Error(`expected no argument but --help, received ${argument}: settings come from the environment`));
} else {
  await serve(settingsOrStop());
}

/** Listens at once, so that /livez answers while the engine loads, and opens the doors when it is warm. */
async function serve(settings: Settings): Promise<void> {
  const { host, drainSeconds } = settings;
  const lifecycle = new Lifecycle({ maxAdmitted: settings.maxQueued });
  try {
    const { server, port } = await listen(createApp({ settings, lifecycle }), settings);
    const service = { server, lifecycle, drainSeconds };
    drainOnSignal(service);
    const captioner = await startCaptioner(settings);
    lifecycle.open(captioner);
    const { revision } = captioner.card;
    const { name: engine, device, reason } = captioner.engine;
    log("info", "listening", { host, port, revision, engine, device, reason });
    complain(await captioner.died);
    await drain(service, 1); // whoever waits is told first
  } catch (error) {
    stop(1, error);
  }
}

function settingsOrStop(): Settings {
  try {
    return readSettings();
  } catch (error) {
    return stop(2, error);
  }
}

function stop(exitCode: 1 | 2, error: unknown): never {
  complain(error);
  process.exit(exitCode);
}

function complain(error: unknown): void {
  process.stderr.write(`edge-caption service: ${error instanceof Error ? error.message : error}\n`);
}
