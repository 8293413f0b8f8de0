/** The gallery's style sheet. Its text stands at 4.5 to 1 or more against what is behind it, in both schemes. */
export const style = `
:root { color-scheme: light dark; --paper: #f3f5f7; --card: #ffffff; --ink: #1a1f26; --soft: #56606b; --rule: #d5dbe1; --accent: #0a63c2; --on-accent: #ffffff; --edited: #b4490f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #101418; --card: #1b2127; --ink: #e8ecf0; --soft: #a3adb8; --rule: #353e48; --accent: #6fb2ff; --on-accent: #0b1520; --edited: #ffa06a; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; }
header, main, footer, #none, noscript { display: block; max-width: 90rem; margin: 0 auto; padding: 0 1rem; }
h1 { margin: 1.5rem 0 0; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
header p { margin: 0.25rem 0 1rem; color: var(--soft); }
button, input, select, textarea { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; padding: 0.6rem max(1rem, calc((100% - 88rem) / 2)); border-block: 1px solid var(--rule); background: var(--paper); }
.bar input[type="search"] { flex: 1 1 14rem; min-width: 0; }
.bar input[type="search"], .bar select { height: 2.25rem; padding: 0 0.6rem; border: 1px solid var(--rule); border-radius: 0.5rem; background: var(--card); }
.bar .only { display: flex; align-items: center; gap: 0.4rem; white-space: nowrap; }
#count { color: var(--soft); font-size: 0.9rem; font-variant-numeric: tabular-nums; }
#download { height: 2.25rem; margin-left: auto; padding: 0 1rem; border: 0; border-radius: 0.5rem; background: var(--accent); color: var(--on-accent); font-weight: 600; cursor: pointer; }

main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1rem; padding-block: 1rem; }
.card { display: flex; flex-direction: column; overflow: hidden; border: 1px solid var(--rule); border-radius: 0.75rem; background: var(--card); content-visibility: auto; contain-intrinsic-size: auto 17rem auto 20rem; }
.card.edited { border-color: var(--edited); box-shadow: 0 0 0 1px var(--edited); }
.photo { position: relative; display: block; aspect-ratio: 4 / 3; background: var(--rule); }
.photo img { position: absolute; width: 100%; height: 100%; object-fit: cover; object-position: 50% 30%; font-size: 0; }
.card textarea { margin: 0.5rem 0.5rem 0; padding: 0.35rem 0.5rem; border: 1px solid transparent; border-radius: 0.4rem; background: none; line-height: 1.35; resize: none; field-sizing: content; min-height: 3.5rem; }
.card textarea:hover { border-color: var(--rule); }
.card textarea:focus { border-color: var(--accent); outline: 1px solid var(--accent); outline-offset: 0; }
.others { display: flex; flex-direction: column; gap: 0.15rem; margin: 0 0.5rem; }
.other { padding: 0.2rem 0.5rem; border: 0; border-radius: 0.4rem; background: none; color: var(--soft); font-size: 0.85rem; text-align: left; cursor: pointer; }
.other:hover { background: var(--paper); color: var(--ink); }
.facts { display: flex; align-items: center; gap: 0.5rem; margin-top: auto; padding: 0.4rem 1rem 0.75rem; color: var(--soft); font-size: 0.8rem; }
.name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.confidence { flex: none; width: 3rem; height: 0.35rem; overflow: hidden; border-radius: 1rem; background: var(--rule); }
.confidence i { display: block; height: 100%; background: var(--accent); }
.percent { flex: none; font-variant-numeric: tabular-nums; }
.undo { flex: none; padding: 0 0.5rem; border: 1px solid var(--edited); border-radius: 1rem; background: none; color: var(--edited); cursor: pointer; }
#none { padding-block: 3rem; color: var(--soft); text-align: center; }
footer { padding-block: 1rem 3rem; color: var(--soft); font-size: 0.85rem; }
code { padding: 0.1rem 0.35rem; border-radius: 0.3rem; background: var(--card); overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  h1 { margin-top: 1rem; font-size: 1.35rem; }
  .bar { gap: 0.5rem; }
  .bar input[type="search"] { flex: 1 1 8rem; }
  .bar select { flex: 0 1 9rem; min-width: 0; }
  .bar .only, #count { font-size: 0.85rem; line-height: 1.2; }
  #count { flex: 1; min-width: 0; }
  #download { padding: 0 0.75rem; font-size: 0.9rem; }
}
`;
