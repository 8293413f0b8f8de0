import type { BenchResults } from "./results.ts";
import { markdownTable, type Row } from "./tables.ts";

type BenchResult = BenchResults["results"][number];

/** What the service promises, with the benches in float32 and in int8. */
const ofService: { about?: string; float32?: string; int8?: string; wanted?: string }[] = [
  {
    about: "`service-start`: seconds to ready; on a new machine, where `auto` times both",
    int8: "service-start",
    wanted: "≤ 5",
  },
  { about: "the same where nothing is timed first", float32: "service-start-float32", wanted: "≤ 5" },
  {
    float32: "service-throughput-float32",
    int8: "service-throughput-int8",
  },
  {
    about: "`idle-latency`: a lone request, against decoding and a bare call",
    float32: "idle-latency-float32",
    int8: "idle-latency-int8",
    wanted: "≤ 1.1",
  },
  {
    about: "`overload-refusal`: p99 of a refusal at ten times the capacity, against that of `/livez`",
    int8: "overload-refusal",
    wanted: "≤ 2",
  },
  {
    about: "`service-memory`: MiB of service and engine after 5 000 requests",
    int8: "service-memory",
    wanted: "≤ 1024, flat",
  },
];

const nativeEngines: Row[] = [
  ["tensorflow", "`tensorflow` on the CPU"],
  ["onnx", "`onnx` on the CPU"],
];

/** The tables made of a whole run of `npm run bench`. */
export function benchTables({ machine, results }: BenchResults): [string, string][] {
  const byName = new Map(results.map((result) => [result.name, result]));
  const find = (name: string): BenchResult => {
    const result = byName.get(name);
    if (result === undefined) throw new Error(`expected the bench ${name} in docs/results/bench.json, found none`);
    return result;
  };
  /** The recorded words: what is measured, and what is wanted. */
  const recorded = (name = "") => find(name).about.split("; ");
  const wordsOf = (name = "") => `\`${name}\`: ${recorded(name)[0]}`;
  const cell = (name: string | undefined) => (name === undefined ? "" : describeResult(find(name)));
  return [
    ["bench-brief", briefTable(machine, find)],
    [
      "bench",
      markdownTable(
        ["bench", "what, and what is wanted", "seen", "ours", "peer"],
        results.map((result, index) => {
          const { name, about, ours, peer } = result;
          const isVariant = results[index - 1]?.about === about; // of the bench above
          return [`\`${name}\``, (isVariant ? "the same" : about) + placeOf(result), figure(result), ours, peer];
        }),
      ),
    ],
    [
      "bench-service",
      markdownTable(
        ["bench", "float32", "int8", "wanted"],
        ofService.map(({ about, float32, int8, wanted = recorded(float32)[1] ?? "" }) => [
          about ?? wordsOf(float32),
          cell(float32),
          cell(int8),
          wanted,
        ]),
      ),
    ],
    [
      "bench-int8",
      markdownTable(
        ["`npm run bench -- int8-encode`", "int8", "float32", "ratio"],
        ["1", "8"].map((batch) => {
          const result = find(`int8-encode-${batch}`);
          return [`batch ${batch}`, result.ours, result.peer, figure(result)];
        }),
      ),
    ],
    [
      "bench-native",
      markdownTable(
        ["", "batch 1", "batch 8"],
        nativeEngines.map(([engine, about = ""]) => [
          about,
          ...["1", "8"].map((batch) => {
            const result = find(`native-encode-${engine}-${batch}`);
            return `${result.ours}, ${figure(result)} times`;
          }),
        ]),
      ),
    ],
  ];
}

/** README's numbers under the machine that gave them, in eight bits. */
function briefTable(machine: string, find: (name: string) => BenchResult): string {
  const [throughput, hit, search] = [find("service-throughput-int8"), find("edge-hit"), find("prefix-search")];
  return markdownTable(
    [machine, ""],
    [
      ["new photos, through the saturated service, in int8", throughput.ours.split(",")[0] ?? ""],
      ["posting a photo of 100 kB that the edge knows", hit.ours.replace(" a cached photo", "")],
      ["greedy search; the tutorial's, on the same engine", `${search.ours}; ${search.peer}`],
    ],
  );
}

/** Formats a figure as the command prints it, with as many decimals as it has significance for. */
export function figure({ number }: Pick<BenchResult, "number">): string {
  if (number >= 100) return number.toFixed(0);
  return number.toFixed(number < 2 ? 2 : 1);
}

/** Where a result was measured, if not in the whole run. */
function placeOf({ apart }: BenchResult): string {
  return apart === undefined ? "" : ` (measured apart: ${apart.machine}, ${apart.date})`;
}

function describeResult(result: BenchResult): string {
  return result.peer === "none" ? result.ours : `${figure(result)} (ours ${result.ours}, peer ${result.peer})`;
}
