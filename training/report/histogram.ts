import { html, type Markup } from "../../shared/html.ts";
import { type Axis, chart, type Tone } from "./chart.ts";

interface Bars {
  name: string;
  tone: Tone;
  /** Of the whole number that is their place in the list, as fractions. */
  shares: readonly number[];
}

interface Histogram {
  title: string;
  description: string;
  /** What is counted along. */
  label: string;
  /** Two stand side by side. */
  bars: readonly Bars[];
}

/** Which share of the captions has which length, say. Begins at the first number that any has. */
export function histogram({ title, description, label, bars }: Histogram): Markup {
  const longest = Math.max(...bars.map(({ shares }) => shares.length));
  const first = Math.min(
    ...bars.map(({ shares }) => shares.findIndex((share) => share > 0)).filter((index) => index >= 0),
  );
  const highest = Math.max(...bars.flatMap(({ shares }) => shares));
  const x: Axis = { label, domain: [first - 0.5, longest - 0.5], isWhole: true };
  const y: Axis = { label: "% of captions", domain: [0, 100 * highest] };
  const legend = bars.map(({ tone, name }) => ({ tone, name }));
  const thickness = 0.8 / bars.length;
  return chart({ title, description, x, y, legend }, (places) => {
    const unit = places.x(1) - places.x(0);
    const rectangles = bars.flatMap(({ tone, shares }, index) =>
      shares.map((share, value) => {
        if (share === 0) return undefined;
        const left = places.x(value - 0.4 + index * thickness);
        const top = places.y(100 * share);
        return html`<rect class="${tone}" x="${left}" y="${top}" width="${(unit * thickness).toFixed(1)}" height="${(
          places.y(0) - top
        ).toFixed(1)}"/>`;
      }),
    );
    return html`${rectangles}`;
  });
}
