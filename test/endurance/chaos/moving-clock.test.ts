import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";

const script = `
const tell = () => console.log(JSON.stringify([Date.now(), +new Date(), new Date(0).getTime(), new Date() instanceof Date]));
process.on("SIGWINCH", () => setImmediate(tell));
setInterval(() => undefined, 1000);
tell();
`;

test("a clock is right at first, then at each signal four minutes ahead, six, and right again", async () => {
  const preload = new URL("./moving-clock.js", import.meta.url).href;
  const child = spawn(process.execPath, ["--import", preload, "-e", script]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const minutesAhead: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [now, made, epoch, isDate] = JSON.parse(line);
    expect(Math.abs(made - now)).toBeLessThan(1000);
    expect([epoch, isDate]).toEqual([0, true]);
    minutesAhead.push(Math.round((now - Date.now()) / 60_000) || 0); // no −0
    if (minutesAhead.length === 4) break;
    child.kill("SIGWINCH");
  }
  expect(minutesAhead).toEqual([0, 4, 6, 0]);
});
