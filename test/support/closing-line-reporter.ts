import { existsSync } from "node:fs";
import type { UserConsoleLog } from "vitest";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { canBuildImages } from "../container/buildah.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { isImmutableKnown, isProgramThere } from "../fixtures/programs.ts";
import { isResearchDataThere } from "../fixtures/research-data.ts";
import { isSoftwareVulkanThere } from "../fixtures/software-vulkan.ts";
import { beginKeeping, endKeeping } from "./kept-output.ts";
import { findLeaks } from "./leaks.ts";

/** What a test that may be skipped says in its name, and whether that is to be had here. */
const needs = [
  { words: "(needs ../shared)", isMet: isResearchDataThere },
  { words: "(needs the native engine)", isMet: readNativeSetup() !== undefined },
  { words: "(needs unshare)", isMet: isProgramThere("unshare") },
  { words: "(needs root)", isMet: process.getuid?.() === 0 },
  { words: "(needs pgrep)", isMet: isProgramThere("pgrep") },
  { words: "(needs mkfifo)", isMet: isProgramThere("mkfifo") },
  { words: "(needs mkfifo and /proc)", isMet: isProgramThere("mkfifo") && existsSync("/proc/self/mem") },
  { words: "(needs chattr +i)", isMet: isImmutableKnown },
  {
    words: "(needs setfattr, getfattr, setfacl, getfacl)",
    isMet: ["setfattr", "getfattr", "setfacl", "getfacl"].every(isProgramThere),
  },
  { words: "(needs promtool)", isMet: isProgramThere("promtool") },
  { words: "(needs systemd-analyze)", isMet: isProgramThere("systemd-analyze") },
  { words: "(needs kubectl)", isMet: isProgramThere("kubectl") },
  { words: "(needs moto_server)", isMet: isProgramThere("moto_server") },
  {
    words: "(needs openapi-python-client and schemathesis)",
    isMet: ["openapi-python-client", "schemathesis"].every(isProgramThere),
  },
  { words: "(needs Chromium)", isMet: chromiumPath !== undefined },
  { words: "(needs Debian's Chromium)", isMet: isSoftwareVulkanThere },
  { words: "(needs root, buildah, debootstrap and runc)", isMet: canBuildImages },
  { words: "(needs no GPU)", isMet: !existsSync("/dev/nvidia0") },
];

/**
 * Ends a run with the failed and the skipped tests by name and the line `N passed, N failed, N skipped`, which build servers read.
 * With `CI` set, a test fails that is skipped although it says of no need that is not met: nobody would notice it otherwise.
 * Whatever the tests' programs and the worker wrote is looked through for secrets and photos, each a failure.
 */
export default class ClosingLineReporter implements Reporter {
  readonly #leaks: string[] = [];

  onInit(): void {
    dropDisconnections(process.stdout);
    dropDisconnections(process.stderr);
    beginKeeping();
  }

  onUserConsoleLog({ content, origin = "the console" }: UserConsoleLog): void {
    this.#leaks.push(...findLeaks(content).map((what) => `${origin.trim()} holds ${what}`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const leaks = [...this.#leaks, ...endKeeping()];
    for (const leak of leaks) process.stdout.write(`leaked: ${leak}\n`);
    const count = { passed: 0, failed: unhandledErrors.length + leaks.length, skipped: 0 };
    for (const test of tests) {
      const state = closingState(test);
      count[state] += 1;
      if (state !== "passed") process.stdout.write(`${state}: ${nameOf(test)}${reasonOf(test)}\n`);
    }
    // A file that fails to load, or a hook that fails, is no test, and must not pass for that.
    for (const part of modules.flatMap((module) => [module, ...module.children.allSuites()])) {
      for (const error of part.errors()) process.stdout.write(`failed: ${nameOf(part)}: ${firstLine(error.message)}\n`);
      count.failed += part.errors().length;
    }
    for (const error of unhandledErrors)
      process.stdout.write(`failed: outside of the tests: ${firstLine(String(error))}\n`);
    if (count.failed > 0) process.exitCode = 1;
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}

/** workerd reports, with a stack, that the test runner hung up on it: after each file, and so below the closing line as well. */
function dropDisconnections(stream: NodeJS.WriteStream): void {
  stream.write = new Proxy(stream.write, {
    apply(write, self, args) {
      const [chunk] = args;
      const isDisconnection =
        typeof chunk === "string" && /^exception = workerd\/.*: WebSocket peer disconnected/.test(chunk);
      return isDisconnection || Reflect.apply(write, self, args);
    },
  });
}

function closingState(test: TestCase): "passed" | "failed" | "skipped" {
  const { state } = test.result();
  if (state === "pending") return "failed";
  if (state !== "skipped" || process.env.CI === undefined) return state;
  return needs.some(({ words, isMet }) => test.fullName.includes(words) && !isMet) ? "skipped" : "failed";
}

function nameOf(part: TestCase | TestModule | TestSuite): string {
  return part.type === "module" ? part.relativeModuleId : `${part.module.relativeModuleId} > ${part.fullName}`;
}

function reasonOf(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  return error === undefined ? "" : `: ${firstLine(error.message)}`;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}
