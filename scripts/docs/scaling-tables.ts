import { scalingCommand } from "../scaling/command.ts";
import { expectedHitRate } from "../scaling/hit-rate.ts";
import { describeScaling } from "../scaling/report.ts";
import { markdownTable } from "./markdown-table.ts";

/** The example of docs/scaling.md. */
const example = ["--rate", "1,10,1000", "--hit-rate", "0.8", "--host-price", "0.10"];

const collections = [
  [1e6, "1 million"],
  [1e7, "10 million"],
  [1e8, "100 million"],
] as const;
const exponents = [0.6, 0.8, 1];
const rates = [1, 10, 1000];
const ttlDays = 30;

/** What `npm run tool -- scaling` forecasts: the example's output, and hit rates by collection and Zipf's exponent. */
export function scalingTables(): [string, string][] {
  let printed = "";
  const program = scalingCommand((request) => {
    printed = describeScaling(request);
  });
  program.parse(example, { from: "user" });
  const rows = collections.flatMap(([photos, name]) =>
    exponents.map((exponent, index) => [
      index === 0 ? name : "",
      String(exponent),
      ...rates.map((rate) => (100 * expectedHitRate({ photos, exponent, ttlDays }, rate)).toFixed(0)),
    ]),
  );
  return [
    ["scaling-example", `\`\`\`\n${printed}\`\`\``],
    ["hit-rates", markdownTable(["different photos", "exponent", "1 photo a second", "10", "1 000"], rows)],
  ];
}
