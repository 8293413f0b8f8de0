import { readFileSync } from "node:fs";
import { arch } from "node:os";

/**
 * Whether this processor's quick products of bytes may be wrong: without VNNI, x64 adds them in 16 bits, which saturate.
 * Where that cannot be told it is taken for one without.
 */
export function saturatesBytes(cpuInfo = readCpuInfo(), architecture = arch()): boolean {
  return architecture === "x64" && !/^flags\s*:.*\b(avx512_vnni|avx_vnni)\b/m.test(cpuInfo);
}

/** Linux alone tells. */
function readCpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
