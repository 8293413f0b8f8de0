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

const machine = { platform: "linux", arch: "x64", glibc: "2.36", node: "20.20.2" };

test("knows the wheels' names of the architectures", () => {
  expect(expectSupported(machine)).toBe("x86_64");
  expect(expectSupported({ ...machine, arch: "arm64", node: "22.12.0" })).toBe("aarch64");
});

test("refuses Node 23, which lacks what the binding's package calls", () => {
  expect(() => expectSupported({ ...machine, node: "23.1.0" })).toThrow(
    "expected Node 20 to 22, running 23.1.0: @tensorflow/tfjs-node-gpu calls functions of node:util that Node 23 removed",
  );
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
  expect(thisMachine()).toMatchObject({ platform: process.platform, node: process.versions.node });
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
