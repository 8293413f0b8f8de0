import { expect, test } from "vitest";
import { lacksVnni } from "../../../captioner/onnx/session.ts";

const flags = (list: string) =>
  `processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu sse2 ${list} rdpid\nbugs\t\t: none\n`;

test.each([
  { what: "one of Cascade Lake's kind", cpuInfo: flags("avx2 avx512f avx512_vnni"), expected: false },
  { what: "one of Alder Lake's kind", cpuInfo: flags("avx2 avx_vnni"), expected: false },
  { what: "one of Zen 3's kind", cpuInfo: flags("avx2"), expected: true },
  { what: "one whose other flags have the letters", cpuInfo: flags("avx_vnni_int8x"), expected: true },
  { what: "one that nobody tells of", cpuInfo: "", expected: true },
])("takes $what on x64 for one that saturates: $expected", ({ cpuInfo, expected }) => {
  expect(lacksVnni(cpuInfo, "x64")).toBe(expected);
});

test("knows that arm64 does not saturate", () => {
  expect(lacksVnni("Features\t: fp asimd asimddp\n", "arm64")).toBe(false);
});
