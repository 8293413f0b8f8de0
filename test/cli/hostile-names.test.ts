import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { readCsv } from "../../files/read-csv.ts";
import { isUnsafeForTerminal } from "../../shared/terminal-text.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { startMadeServer } from "../support/made-server.ts";
import type { Run } from "../support/run-node.ts";
import { captionTiny, commandLine, edgeCaptionIn } from "./run-command.ts";

const names = [
  "=cmd|'x'!A0.jpg",
  "'=1.jpg",
  "a;=1+1.jpg",
  "clear\u001b[2J\u001b]0;title\u0007.jpg",
  "csi\u009b31m.jpg",
  "forged\n9 captioned\r0 failed.jpg",
  "gpj\u202egpj.exe.jpg",
  "Müller 👩‍👧.jpg",
];

async function hostileFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  for (const [index, photo] of (await madePhotos(names.length, { width: 60, height: 40 })).entries()) {
    await writeFile(join(folder, "photos", names[index] ?? ""), photo);
  }
  return folder;
}

function expectHarmless({ stdout, stderr }: Run): void {
  for (const line of [...stdout.split("\n"), ...stderr.split("\n")])
    expect(isUnsafeForTerminal(line), line).toBe(false);
}

test("names do nothing to a terminal and forge no line where paths and captions are printed", async () => {
  const folder = await hostileFolder();
  const [dry, captions, json] = await Promise.all([
    captionTiny(folder, "photos", "--dry-run"),
    captionTiny(folder, "photos"),
    captionTiny(folder, "photos", "--json"),
  ]);
  for (const run of [dry, captions, json]) {
    expectHarmless(run);
    expect(run.stdout.trimEnd().split("\n")).toHaveLength(names.length);
  }
  expect(captions.stdout).toContain("photos/forged\\n9 captioned\\r0 failed.jpg: ");
  const lines = json.stdout.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).path).toSorted()).toEqual(
    names.map((name) => `photos/${name}`).toSorted(),
  );
});

test("names do nothing to a terminal and forge no line in error messages", async () => {
  const folder = await hostileFolder();
  for (const name of names) await writeFile(join(folder, "photos", name), "no photo");
  await writeFile(join(folder, "b.csv"), `path,caption\n"forged\n1 applied\u001b[2J.jpg",x\n`);
  const [failed, ...others] = await Promise.all([
    captionTiny(folder, "photos", "--csv", "a.csv"),
    edgeCaptionIn(folder, "caption", "--xmpp\u001b[2J\n9 captioned"),
    edgeCaptionIn(folder, "apply", "b.csv", "--txt"),
    edgeCaptionIn(folder, "status", "forged\nline\u001b[2J"),
  ]);
  for (const run of [failed, ...others]) expectHarmless(run);
  const complaints = failed.stderr.split("\n").filter((line) => line.includes(": expected a JPEG"));
  expect(complaints).toHaveLength(names.length);
  expect(others[0]?.stderr.split("\n")[0]).toBe("error: unknown option '--xmpp\\x1b[2J\\n9 captioned'");
});

test("caption - reads the paths that status --missing prints, including those that no line could hold", async () => {
  const folder = await hostileFolder();
  const missing = await edgeCaptionIn(folder, "status", "photos", "--missing");
  expectHarmless(missing);
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, "-", "--json"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.end(missing.stdout);
  const lines = (await text(child.stdout)).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).path).toSorted()).toEqual(
    names.map((name) => `photos/${name}`).toSorted(),
  );
});

test("a table holds no formula, and gives names and captions that begin like one back to apply", async () => {
  const folder = join(await hostileFolder(), "photos");
  await captionTiny(folder, ".", "--csv", "a.csv");
  const table = await readFile(join(folder, "a.csv"), "utf8");
  expect(table).toMatch(/^\uFEFFpath,/); // without the mark Excel takes umlauts for something else
  expect(table).toContain("\n'=cmd|'x'!A0.jpg,");
  expect(table).toContain("\n''=1.jpg,");
  expect(table).toContain("\na;'=1+1.jpg,");
  const { rows } = await readCsv(join(folder, "a.csv"), { needs: ["path", "caption"] });
  expect(rows.map(({ path }) => path).toSorted()).toEqual(names.toSorted());

  await writeFile(join(folder, "a.csv"), table.replace(/^('=cmd\|'x'!A0\.jpg),[^,]*/m, "$1,'=1+1 dogs"));
  expect(await edgeCaptionIn(folder, "apply", "a.csv", "--txt")).toMatchObject({ code: 0 });
  expect(await readFile(join(folder, "=cmd|'x'!A0.txt"), "utf8")).toBe("=1+1 dogs\n");
});

test("an endpoint's answers do nothing to a terminal", async () => {
  const hostile = "full\u001b[2J\n9 captioned\u009b31m\u202e";
  const { origin, stop } = await startMadeServer((_, response) => {
    const problem = {
      type: "about:blank",
      title: "No",
      status: 400,
      code: "invalid_request",
      detail: hostile,
      requestId: "1",
    };
    response.writeHead(400, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify(problem));
  });
  onTestFinished(stop);
  const folder = await hostileFolder();
  const run = await edgeCaptionIn(folder, "caption", "photos", "--endpoint", origin, "--csv", "a.csv");
  expectHarmless(run);
  expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining("full\\x1b[2J") });
});
