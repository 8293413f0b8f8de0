import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  expectSupported,
  expectToolchain,
  findNodeHeaders,
  thisMachine,
} from "../../../scripts/setup-native/machine.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

const machine = { platform: "linux", arch: "x64", glibc: "2.36" };

test("knows the wheels' names of the architectures", () => {
  expect(expectSupported(machine)).toBe("x86_64");
  expect(expectSupported({ ...machine, arch: "arm64" })).toBe("aarch64");
});

test.each([
  [{ ...machine, platform: "darwin", arch: "arm64", glibc: undefined }, "running darwin on arm64:"],
  [{ ...machine, platform: "win32", glibc: undefined }, "running win32 on x64:"],
  [{ ...machine, glibc: undefined }, "running linux on x64 without glibc:"],
  [{ ...machine, arch: "riscv64" }, "running linux on riscv64:"],
])("refuses a machine that no wheel is for: %o", (other, sentence) => {
  expect(() => expectSupported(other)).toThrow(`expected Linux with glibc on x64 or arm64, ${sentence}`);
});

test("reads the machine it runs on", () => {
  expect(thisMachine()).toMatchObject({ platform: process.platform, arch: process.arch });
});

test("names what is missing of the toolchain", async () => {
  vi.stubEnv("PATH", await temporaryFolder());
  vi.stubEnv("CXX", "clang++"); // somebody's own choice is theirs
  onTestFinished(() => void vi.unstubAllEnvs());

  expect(() => expectToolchain()).toThrow(
    "expected make, python3 to build the binding with, found no make and no python3",
  );
});

test("finds the headers beside a Node, and misses them", async () => {
  const prefix = await temporaryFolder();
  await mkdir(join(prefix, "bin"));
  await writeFile(join(prefix, "bin/node"), "");
  expect(findNodeHeaders(join(prefix, "bin/node"))).toBeUndefined();

  await mkdir(join(prefix, "include/node"), { recursive: true });
  await writeFile(join(prefix, "include/node/node_api.h"), "");
  expect(findNodeHeaders(join(prefix, "bin/node"))).toBe(prefix);
});
