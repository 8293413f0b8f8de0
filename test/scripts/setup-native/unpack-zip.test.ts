import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { unpackZip } from "../../../scripts/setup-native/unpack-zip.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { makeWheel } from "./made-wheel.ts";
import { keepQuiet } from "./quiet.ts";

const { signal } = new AbortController();
const members = { "a/kept.txt": "kept", "a/left.txt": "left", "b/": "", "b/kept.bin": Buffer.alloc(300_000, 7) };

let into: string;

beforeEach(async () => {
  keepQuiet();
  into = await temporaryFolder();
});

test("unpacks the members that have a place, and no other", async () => {
  const wheel = await makeWheel(await temporaryFolder(), { members });
  await unpackZip(wheel, { into, place: (member) => (member.includes("kept") ? basename(member) : undefined), signal });

  expect((await readdir(into)).sort()).toEqual(["kept.bin", "kept.txt"]);
  expect(await readFile(join(into, "kept.txt"), "utf8")).toBe("kept");
  expect(await readFile(join(into, "kept.bin"))).toEqual(members["b/kept.bin"]);
});

test("names an archive that was cut", async () => {
  const wheel = await makeWheel(await temporaryFolder(), { members });
  await truncate(wheel, 300);

  await expect(unpackZip(wheel, { into, place: (member) => member, signal })).rejects.toThrow(`${wheel}: `);
  expect(await readdir(into)).toEqual([]);
});

test("names the member whose contents are damaged", async () => {
  const wheel = await makeWheel(await temporaryFolder(), {
    members: { "library.so": "an even number of bytes" },
    compress: false,
  });
  const bytes = await readFile(wheel);
  bytes.write("odd", bytes.indexOf("even"));
  await writeFile(wheel, bytes);

  await expect(unpackZip(wheel, { into, place: (member) => member, signal })).rejects.toThrow(
    /: library\.so: expected checksum \d+, found \d+: it is damaged$/,
  );
});

test("refuses a member that would land outside", async () => {
  const wheel = await makeWheel(await temporaryFolder(), { members: { "xx/escaped.txt": "!" }, compress: false });
  const bytes = await readFile(wheel);
  for (let at = bytes.indexOf("xx/"); at >= 0; at = bytes.indexOf("xx/")) bytes.write("../", at);
  await writeFile(wheel, bytes);

  await expect(unpackZip(wheel, { into, place: (member) => member, signal })).rejects.toThrow("../escaped.txt");
});
