import { scaleBand, scaleLinear } from "d3-scale";
import { html, type Markup } from "../../shared/html.ts";
import { at, legendOf } from "./chart.ts";

const width = 360;
const rowHeight = 26;
const labelWidth = 84;
const valueWidth = 40;

interface BarPairs {
  title: string;
  description: string;
  /** Of the first and the second bar. */
  names: readonly [string, string];
  rows: readonly { label: string; values: readonly [number, number] }[];
  format: (value: number) => string;
}

/** Two bars a row, with their values: the one thing beside the other. */
export function barPairs({ title, description, names, rows, format }: BarPairs): Markup {
  const height = rows.length * rowHeight;
  const highest = Math.max(...rows.flatMap(({ values }) => values));
  const toRow = scaleBand(
    rows.map(({ label }) => label),
    [0, height],
  );
  const toWidth = scaleLinear([0, highest || 1], [0, width - labelWidth - valueWidth]);
  const drawn = rows.map(({ label, values: [one, two] }) => {
    const top = toRow(label) ?? 0;
    const bar = (tone: "one" | "two", { value, y }: { value: number; y: number }) =>
      html`<rect class="${tone}" x="${labelWidth}" y="${y}" width="${at(toWidth(value))}" height="10"/><text class="value" x="${at(
        labelWidth + toWidth(value) + 4,
      )}" y="${y + 9}">${format(value)}</text>`;
    return html`<text x="${labelWidth - 6}" y="${top + 16}" text-anchor="end">${label}</text>${bar("one", {
      value: one,
      y: top + 2,
    })}${bar("two", { value: two, y: top + 13 })}
`;
  });
  const [one, two] = names;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">
${drawn}</svg>${legendOf([
    { tone: "one", name: one },
    { tone: "two", name: two },
  ])}</figure>
`;
}
