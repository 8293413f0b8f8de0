/** The page's own style sheet. Its colours stand at 4.5 to 1 or more against the paper, in both schemes. */
export const style = `
:root { color-scheme: light dark; --paper: #ffffff; --panel: #f4f6f8; --ink: #1a1f26; --soft: #56606b; --rule: #d5dbe1; --one: #0a63c2; --two: #b4490f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --panel: #1e242b; --ink: #e8ecf0; --soft: #a3adb8; --rule: #39424c; --one: #6fb2ff; --two: #ffa06a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 72rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 3rem 0 0.5rem; font-size: 1.45rem; }
h3 { margin: 2rem 0 0.75rem; font-size: 1.15rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
a { color: var(--one); }
small, .small { color: var(--soft); font-size: 0.85rem; }
td small, dd small { display: block; font-size: 0.75rem; }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0; }
.tiles div { padding: 0.75rem 1rem; border-radius: 0.5rem; background: var(--panel); }
.tiles dt { color: var(--soft); font-size: 0.85rem; }
.tiles dd { margin: 0; font-size: 1.7rem; font-weight: 600; line-height: 1.3; }
.tiles dd small { font-weight: 400; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0.5rem 0; border-block: 1px solid var(--rule); }

.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: separate; border-spacing: 0; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0.25rem 0.5rem; text-align: left; font-weight: 600; }
th, td { padding: 0.35rem 0.6rem; border-top: 1px solid var(--rule); text-align: right; vertical-align: top; }
thead th { border: 0; }
tbody tr:last-child > * { border-bottom: 1px solid var(--rule); }
th:first-child, .text { text-align: left; }
th:first-child { padding-left: 0.5rem; }
td { white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { position: sticky; left: 0; min-width: 7.5rem; background: var(--paper); font-weight: 400; }
details { margin: 1rem 0; }
summary { cursor: pointer; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; align-items: start; margin: 1rem 0; }
figure { margin: 0; max-width: 32rem; }
figcaption { margin-bottom: 0.4rem; font-weight: 600; font-size: 0.95rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .label { fill: var(--ink); }
.grid { stroke: var(--rule); stroke-width: 0.7; }
.axis { stroke: var(--soft); }
.line { fill: none; stroke-width: 2; }
.line.one { stroke: var(--one); }
.line.two { stroke: var(--two); stroke-dasharray: 5 3; }
circle.one, rect.one { fill: var(--one); }
circle.two, rect.two { fill: var(--two); }
.diagonal { stroke: var(--soft); stroke-dasharray: 2 4; }
line.mark { stroke: var(--soft); stroke-dasharray: 3 3; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0.3rem 0 0; font-size: 0.85rem; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; border-radius: 2px; }
.legend .one { background: var(--one); }
.legend .two { background: var(--two); }
.graph { max-width: 26rem; margin: 1.5rem auto; }
.box { fill: var(--panel); stroke: var(--soft); }
.box.whole { stroke: var(--one); stroke-width: 2; }
.graph .name { fill: var(--ink); font-weight: 600; font-size: 13px; }
.arrow { fill: none; stroke: var(--soft); stroke-width: 1.3; }
marker path { fill: var(--soft); }

.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem; }
.card { padding: 1rem; border-radius: 0.5rem; background: var(--panel); font-size: 0.9rem; }
.card img { display: block; width: 100%; height: auto; max-height: 22rem; object-fit: contain; border-radius: 0.3rem; }
.card dl { margin: 0.75rem 0; }
.card dt { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; color: var(--soft); font-size: 0.8rem; }
.card dd { margin: 0 0 0.5rem; }
.card .ours { font-size: 1.05rem; font-weight: 600; line-height: 1.35; }
.card ul { margin: 0; padding-left: 1.1rem; }
.card p { margin: 0; }
.unheard { text-decoration: underline dotted var(--two) 2px; text-underline-offset: 3px; }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.85rem; }
@media print { .scroll { overflow: visible; } .card { break-inside: avoid; } }
`;
