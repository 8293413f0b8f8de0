import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";

/** Runs a program whose output, or whose complaints, nobody reads. */
async function runUnread(program: string, { args, unread }: { args: string[]; unread: "stdout" | "stderr" }) {
  const child = spawn(process.execPath, ["--import", "tsx", program, ...args], {
    cwd: repository,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child[unread].destroy(); // long before there is anything to write
  const other = unread === "stdout" ? child.stderr : child.stdout;
  const [said, [code]] = await Promise.all([text(other), once(child, "exit")]);
  return { said, code };
}

test.concurrent.each(["cli/main.ts", "training/main.ts", "scripts/scaling.ts"])(
  "%s ends in silence when nobody reads its help",
  async (program) => {
    const run = await runUnread(program, { args: ["--help"], unread: "stdout" });

    expect(run).toEqual({ said: "", code: 0 });
  },
);

test.concurrent("ends with the same exit code when nobody reads its messages", async () => {
  const run = await runUnread("cli/main.ts", { args: ["no-such-command"], unread: "stderr" });

  expect(run).toEqual({ said: "", code: 2 });
});
