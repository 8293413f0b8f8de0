import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { madeImage } from "../fixtures/made-images.ts";
import { childrenOf, descendantsOf, programOf } from "../process-table.ts";
import { direct, expectEnded, throughNpm, untilUp, Workplace } from "../scripts/start-script.ts";

let workplace: Workplace;
let photo: string;

beforeAll(async () => {
  workplace = await Workplace.make();
  photo = await workplace.write("photo.jpg", await madeImage("jpeg"));
});
afterAll(() => workplace.remove());

describe("npm start", { timeout: 60_000 }, () => {
  test.each([
    { what: "SIGINT to the script", command: direct, kill: (pid: number) => process.kill(pid, "SIGINT") },
    { what: "SIGTERM to the script", command: direct, kill: (pid: number) => process.kill(pid, "SIGTERM") },
    { what: "SIGINT to npm alone", command: throughNpm, kill: (pid: number) => process.kill(pid, "SIGINT") },
    { what: "SIGTERM to npm alone", command: throughNpm, kill: (pid: number) => process.kill(pid, "SIGTERM") },
    {
      what: "Ctrl-C, which all of its group get",
      command: throughNpm,
      kill: (pid: number) => process.kill(-pid, "SIGINT"),
    },
  ])("leaves no process after $what", async ({ command, kill }) => {
    const run = workplace.start([photo], { command });
    await untilUp(run);
    const processes = descendantsOf(run.pid);
    kill(run.pid);

    expect(processes.length).toBeGreaterThanOrEqual(4); // service, its engine, wrangler, workerd
    await expectEnded(run, { processes });
    expect(await run.exited).toBe(0);
  });

  test("leaves no process when it is interrupted before the caption", async () => {
    const run = workplace.start([photo]);
    const processes = await vi.waitUntil(() => startedBy(run.pid), { timeout: 20_000, interval: 10 });
    run.process.kill("SIGINT");

    await expectEnded(run, { processes });
    expect(run.stdout()).toBe("");
    expect(await run.exited).toBe(130);
  });

  test.each(["service", "edge"])("ends, and says why, when the %s dies", async (who) => {
    const run = workplace.start([photo]);
    await untilUp(run);
    const processes = descendantsOf(run.pid);
    const [service = 0, edge = 0] = childrenOf(run.pid);
    process.kill(who === "service" ? service : edge, "SIGKILL");

    await expectEnded(run, { processes });
    expect(run.stderr()).toMatch(new RegExp(`^the ${who} ended with SIGKILL: .+\n$`, "s"));
    expect(await run.exited).toBe(1);
  });

  test("ends, and says why, when the edge's runtime dies or hangs and wrangler says nothing of it", async () => {
    const ends = await Promise.all(
      (["SIGKILL", "SIGSTOP"] as const).map(async (signal) => {
        const run = workplace.start([photo], { state: signal });
        await untilUp(run);
        const processes = descendantsOf(run.pid);
        const runtimes = processes.filter((pid) => programOf(pid) === "workerd");
        process.kill(runtimes.at(-1) ?? 0, signal); // the worker's; wrangler has another one in front of it
        await expectEnded(run, { processes, limitMs: 45_000 });
        return { code: await run.exited, stderr: run.stderr(), runtimes: runtimes.length };
      }),
    );

    const stderr = "the edge does not answer any more: its runtime, workerd, ended or hangs\n";
    expect(ends).toEqual(Array(2).fill({ code: 1, stderr, runtimes: 2 }));
  });
});

/** Both servers, as soon as both are started. */
function startedBy(pid: number): number[] | undefined {
  const children = childrenOf(pid);
  return children.length < 2 ? undefined : children;
}
