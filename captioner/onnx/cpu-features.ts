import { readFileSync } from "node:fs";
import { arch } from "node:os";

/**
 * Whether int8 matrix products may be wrong on this CPU: without VNNI, x64 accumulates them in 16 bits, which saturate.
 * An x64 CPU whose features cannot be read counts as one without.
 */
export function lacksVnni(cpuInfo = readCpuInfo(), architecture = arch()): boolean {
  return architecture === "x64" && !/^flags\s*:.*\b(avx512_vnni|avx_vnni)\b/m.test(cpuInfo);
}

/** Only Linux has this file. */
function readCpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
