import { appendFile, chown, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const stateName = ".edge-caption.jsonl";

async function folderWithPhoto(): Promise<{ folder: string; planted: string }> {
  const folder = await temporaryFolder();
  await copyFile(photoPath("coffee"), join(folder, "a.jpg"));
  const { id, contentId } = await photoIdsOf(new Uint8Array(await readFile(photoPath("coffee"))));
  const planted = JSON.stringify({ kind: "corrected", key: contentId ?? id, caption: "planted" });
  return { folder, planted: `${planted}\n` };
}

/** From here on, this is another machine, or one that can keep no key. */
async function onAnotherMachine(stateHome?: string): Promise<void> {
  vi.stubEnv("XDG_STATE_HOME", stateHome ?? (await temporaryFolder()));
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe("a state that came along with the photos", () => {
  test("is refused by every command with a sentence, and reaches no photo", async () => {
    const { folder, planted } = await folderWithPhoto();
    await writeFile(join(folder, stateName), planted);
    await writeFile(join(folder, "table.csv"), "path,caption\na.jpg,Mine\n");
    const commands = [
      ["caption", ".", "--txt"],
      ["caption", ".", "--txt", "--dry-run"],
      ["apply", "table.csv", "--txt"],
      ["status", "."],
    ];
    for (const command of commands) {
      const { code, stdout, stderr } = await edgeCaptionIn(folder, ...command);
      expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(`${join(folder, stateName)}: 1 of its 1 lines were not written by you on this machine`);
      expect(stderr).toContain("--trust-state");
    }
    expect(await readFile(join(folder, stateName), "utf8")).toBe(planted);
  });

  test("is refused where a line was added to one of ours, changed in it, or taken from it", async () => {
    const { folder, planted } = await folderWithPhoto();
    expect((await captionTiny(folder, ".", "--txt")).code).toBe(0);
    const ours = await readFile(join(folder, stateName), "utf8");
    const caption = (await readFile(join(folder, "a.txt"), "utf8")).trim();
    const [, mark] = /"by":"([\w-]+)"/.exec(ours) ?? [];
    for (const state of [
      ours + planted,
      planted + ours,
      ours.replaceAll(`"caption":"${caption}"`, '"caption":"planted"'),
      ours + planted.replace("}", `,"by":"${mark}"}`),
    ]) {
      await writeFile(join(folder, stateName), state);
      const { code, stderr } = await captionTiny(folder, ".", "--txt");
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/: 1 of its \d lines were not written/),
      });
    }
    await writeFile(join(folder, stateName), ours);
    expect((await captionTiny(folder, ".", "--txt")).stderr).toContain("1 had their caption already");
  });

  test.skipIf(process.getuid?.() !== 0)("is refused where another user has made it (needs root)", async () => {
    const { folder } = await folderWithPhoto();
    await writeFile(join(folder, stateName), "");
    await chown(join(folder, stateName), 1234, 1234);
    expect(await captionTiny(folder, ".", "--txt")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${join(folder, stateName)}: another user's; so it is not trusted`),
    });
  });
});

describe("one's own state on another machine", () => {
  test("is believed after one --trust-state, for the lines that it had then", async () => {
    const { folder, planted } = await folderWithPhoto();
    await captionTiny(folder, ".", "--txt");
    await onAnotherMachine();
    expect((await captionTiny(folder, ".", "--txt")).stderr).toContain("2 of its 2 lines were not written by you");
    const trusting = await captionTiny(folder, ".", "--txt", "--trust-state");
    expect(trusting).toMatchObject({ code: 0, stderr: expect.stringContaining("1 had their caption already") });
    expect((await captionTiny(folder, ".", "--txt")).code).toBe(0);
    expect((await edgeCaptionIn(folder, "status")).code).toBe(0);
    await appendFile(join(folder, stateName), planted);
    expect((await captionTiny(folder, ".", "--txt")).stderr).toContain(": 1 of its ");
  });

  test("is believed where the key was copied", async () => {
    const { folder } = await folderWithPhoto();
    await captionTiny(folder, ".", "--txt");
    const other = await temporaryFolder();
    const key = join(process.env.XDG_STATE_HOME ?? "", "edge-caption/state-key");
    await onAnotherMachine(other);
    await captionTiny(await temporaryFolder(), folder, "--txt", "--state", "new.jsonl");
    await copyFile(key, join(other, "edge-caption/state-key"));
    expect((await captionTiny(folder, ".", "--txt")).stderr).toContain("1 had their caption already");
  });

  test("without a place for the key, the first run works, and the second one says where the key would be", async () => {
    const { folder } = await folderWithPhoto();
    await onAnotherMachine("/dev/null");
    expect((await captionTiny(folder, ".", "--txt")).code).toBe(0);
    const again = await captionTiny(folder, ".", "--txt");
    expect(again.stderr).toContain("/dev/null/edge-caption/state-key, which is not there");
    expect((await captionTiny(folder, ".", "--txt", "--trust-state")).stderr).toContain("1 had their caption already");
  });
});
