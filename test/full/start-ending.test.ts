import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { madeImage } from "../fixtures/made-images.ts";
import { direct, expectEnded, throughNpm, untilUp, Workplace } from "../scripts/start-script.ts";
import { aliveOf, childrenOf, descendantsOf, programOf } from "../support/process-table.ts";

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

    expect(processes.length).toBeGreaterThanOrEqual(4); // service, its engine, edge, workerd
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

  test("ends, and says why, when the service dies", async () => {
    const run = workplace.start([photo]);
    await untilUp(run);
    const processes = descendantsOf(run.pid);
    const [service = 0] = childrenOf(run.pid);
    process.kill(service, "SIGKILL");

    await expectEnded(run, { processes });
    expect(run.stderr()).toMatch(/^the service ended with SIGKILL: .+\n$/s);
    expect(await run.exited).toBe(1);
  });

  test.each([
    { what: "the edge dies", signal: "SIGKILL", isRuntime: false, says: /^the edge ended with SIGKILL: / },
    {
      what: "its runtime dies",
      signal: "SIGKILL",
      isRuntime: true,
      says: /the edge does not answer any more: its runtime, workerd, ended or hangs/,
    },
    {
      what: "its runtime hangs",
      signal: "SIGSTOP",
      isRuntime: true,
      says: /the edge does not answer any more: its runtime, workerd, ended or hangs/,
    },
  ] as const)("brings the edge up again, and says so, when $what", { timeout: 120_000 }, async (end) => {
    const run = workplace.start([photo], { state: end.what });
    await untilUp(run);
    const processes = descendantsOf(run.pid);
    const edge =
      childrenOf(run.pid).find((pid) => descendantsOf(pid).some((below) => programOf(below) === "workerd")) ?? 0;
    const runtimes = processes.filter((pid) => programOf(pid) === "workerd");
    const [address = ""] = run.stdout().match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
    expect(runtimes).toHaveLength(1);
    process.kill(end.isRuntime ? (runtimes[0] ?? 0) : edge, end.signal);

    await vi.waitFor(() => expect(run.stderr()).toMatch(/The edge is brought up again\.\n$/), { timeout: 45_000 });
    expect(run.stderr()).toMatch(end.says);
    const isWell = async () => (await fetch(`${address}/healthz`)).status;
    await vi.waitFor(async () => expect(await isWell()).toBe(200), { timeout: 45_000, interval: 200 });
    expect(aliveOf(processes.filter((pid) => pid === edge || runtimes.includes(pid)))).toEqual([]);

    const later = descendantsOf(run.pid);
    run.process.kill("SIGINT");
    await expectEnded(run, { processes: later });
    expect(await run.exited).toBe(0);
  });
});

/** Both servers, as soon as both are started. */
function startedBy(pid: number): number[] | undefined {
  const children = childrenOf(pid);
  return children.length < 2 ? undefined : children;
}
