import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Ticket } from "../../edge/caption-flight.ts";
import type { Priority } from "../../shared/priority.ts";

const result = { body: '{"caption":"a dog"}', storedAtMs: 1 };
const kept = { isKept: true };

let name = "";

/** Creates a flight for one test. */
function flight() {
  name = crypto.randomUUID();
  return env.FLIGHTS.getByName(name);
}

afterEach(async () => {
  const stored = await runInDurableObject(env.FLIGHTS.getByName(name), (_, state) => state.storage.list());
  expect(stored.size).toBe(0);
});

async function takeLease(joined: Promise<Ticket>) {
  const ticket = await joined;
  if (ticket.kind !== "lease") throw new Error(`expected a lease, received ${ticket.kind}`);
  return ticket.lease;
}

/** Restarts an object like a deployment, a move or a crash. */
async function restart(stub: ReturnType<typeof flight>): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.abort("restarted")).catch(() => undefined);
}

async function join(
  stub: ReturnType<typeof flight>,
  waitMs = 5000,
  priority: Priority = "interactive",
): Promise<Ticket> {
  return (await stub.join({ query: "beam=3&candidates=1", waitMs, priority })) as Ticket; // what RPC makes of its methods works the same
}

describe("a flight", () => {
  test("gives the first a lease, lets the others wait, and hands all of them the result", async () => {
    const stub = flight();
    const lease = await takeLease(join(stub));
    const waiters = [join(stub), join(stub), join(stub)];
    expect(await Promise.race([waiters[0], scheduler.wait(50)])).toBeUndefined();
    await lease.finish(result, kept);
    expect(await Promise.all(waiters)).toEqual(Array(3).fill({ kind: "result", result, isKept: true }));
  });

  test("hands a kept result to those who come within 90 seconds, and a lease to those who come later", async () => {
    const stub = flight();
    await (await takeLease(join(stub))).finish(result, kept);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 89_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await join(stub)).kind).toBe("result");
    vi.setSystemTime(Date.now() + 2_000);
    expect((await join(stub)).kind).toBe("lease");
  });

  test("hands a result that is not kept to those alone who wait", async () => {
    const stub = flight();
    const lease = await takeLease(join(stub));
    const waiter = join(stub);
    await scheduler.wait(100); // calls by different stubs may overtake each other
    await lease.finish(result, { isKept: false });
    expect((await waiter).kind).toBe("result");
    expect((await join(stub)).kind).toBe("lease");
  });

  test("gives a lease again where it was taken out of memory in the meantime, and the result with it", async () => {
    const stub = flight();
    await (await takeLease(join(stub))).finish(result, kept);
    await restart(stub);
    expect((await join(env.FLIGHTS.getByName(name))).kind).toBe("lease");
  });

  test("forgets a result when it is told to", async () => {
    const stub = flight();
    await (await takeLease(join(stub))).finish(result, kept);
    await stub.forget();
    expect((await join(stub)).kind).toBe("lease");
  });

  test("told to forget while a run is under way, hands its result to those alone who wait, as not to be kept", async () => {
    const stub = flight();
    const lease = await takeLease(join(stub));
    const waiter = join(stub);
    await scheduler.wait(50);
    await stub.forget();
    const next = await takeLease(join(stub));
    await lease.finish(result, kept);
    expect(await waiter).toEqual({ kind: "result", result, isKept: false });
    next[Symbol.dispose]();
    await scheduler.wait(100);
    expect((await join(stub)).kind).toBe("lease");
  });
});

describe("a lease that ends without a result", () => {
  test("goes to the next who waits, in the order they came, when its holder lets go of it", async () => {
    const stub = flight();
    const first = await takeLease(join(stub));
    const second = join(stub);
    expect(await Promise.race([second, scheduler.wait(50)])).toBeUndefined(); // two calls at once may overtake each other
    const third = join(stub);
    first[Symbol.dispose]();
    const lease = await takeLease(second);
    expect(await Promise.race([third, scheduler.wait(50)])).toBeUndefined();
    await lease.finish(result, kept);
    expect((await third).kind).toBe("result");
  });

  test("goes on at once when its holder is no more", async () => {
    const stub = flight();
    const place = name;
    const holder = env.FLIGHTS.getByName(crypto.randomUUID()); // any place of its own that can be ended
    const held = await runInDurableObject(holder, () =>
      join(env.FLIGHTS.getByName(place), 60_000).then(({ kind }) => kind),
    );
    const waiter = join(stub);
    expect(await Promise.race([waiter, scheduler.wait(50)])).toBeUndefined();
    await restart(holder);
    expect([held, (await waiter).kind]).toEqual(["lease", "lease"]);
  });

  test("goes on when its holder says nothing any more, at the end of the holder's time", async () => {
    const stub = flight();
    await takeLease(join(stub, 200));
    const begun = Date.now();
    const next = await join(stub, 5000);
    expect(next.kind).toBe("lease");
    expect(Date.now() - begun).toBeGreaterThan(1000);
    expect(Date.now() - begun).toBeLessThan(3000);
  });

  test("may still bring its result late", async () => {
    const stub = flight();
    const late = await takeLease(join(stub, 50));
    const lease = await takeLease(join(stub));
    const waiter = join(stub);
    await scheduler.wait(100);
    await late.finish(result, kept);
    expect((await waiter).kind).toBe("result");
    lease[Symbol.dispose]();
    expect((await join(stub)).kind).toBe("result");
  });

  test("is free for the next to come when nobody waited", async () => {
    const stub = flight();
    (await takeLease(join(stub)))[Symbol.dispose]();
    await scheduler.wait(100);
    expect((await join(stub)).kind).toBe("lease");
  });
});

describe("a caller's time", () => {
  test("ends its waiting, and it gets no lease after that", async () => {
    const stub = flight();
    const lease = await takeLease(join(stub));
    expect(await join(stub, 100)).toEqual({ kind: "timeout" });
    lease[Symbol.dispose]();
    await scheduler.wait(100);
    expect((await join(stub)).kind).toBe("lease");
  });

  test("ends in an error when the object is restarted, and a new object starts anew", async () => {
    const stub = flight();
    await takeLease(join(stub));
    const waiter = join(stub);
    await scheduler.wait(100);
    const failure = expect(waiter).rejects.toThrow("restarted");
    await restart(stub);
    await failure;
    expect((await join(env.FLIGHTS.getByName(name))).kind).toBe("lease");
  });
});

describe("people and jobs", () => {
  const joinAsJob = (stub: ReturnType<typeof flight>) => join(stub, 5000, "bulk");

  test("a person gets a lease beside a job's, the next one waits for that, and all get what comes first", async () => {
    const stub = flight();
    const jobs = await takeLease(joinAsJob(stub));
    const waitingJob = joinAsJob(stub);
    const persons = await takeLease(join(stub));
    const waiter = join(stub);
    expect(await Promise.race([waitingJob, waiter, scheduler.wait(50)])).toBeUndefined();
    await persons.finish(result, kept);
    expect([(await waitingJob).kind, (await waiter).kind]).toEqual(["result", "result"]);
    jobs[Symbol.dispose]();
    await scheduler.wait(50);
    expect((await join(stub)).kind).toBe("result");
  });

  test("a job waits for a person's run, and goes on when that ends without a result", async () => {
    const stub = flight();
    const persons = await takeLease(join(stub));
    const job = joinAsJob(stub);
    expect(await Promise.race([job, scheduler.wait(50)])).toBeUndefined();
    const nextPerson = join(stub);
    await scheduler.wait(50);
    persons[Symbol.dispose]();
    const lease = await takeLease(nextPerson); // first, although it came later
    expect(await Promise.race([job, scheduler.wait(50)])).toBeUndefined();
    lease[Symbol.dispose]();
    (await takeLease(job))[Symbol.dispose]();
  });

  test("a job's run that ends leaves its turn to nobody while a person's is under way", async () => {
    const stub = flight();
    const jobs = await takeLease(joinAsJob(stub));
    const persons = await takeLease(join(stub));
    const waitingJob = joinAsJob(stub);
    await scheduler.wait(50);
    jobs[Symbol.dispose]();
    expect(await Promise.race([waitingJob, scheduler.wait(50)])).toBeUndefined();
    await persons.finish(result, kept);
    expect((await waitingJob).kind).toBe("result");
  });
});
