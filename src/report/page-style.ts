/** The style of a report: light and dark as the reader's system says, one column on a phone, and ink only on paper. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f7f9; --ink: #1b2330; --muted: #586274; --line: #dfe3ea;
  --accent: #2f62c9; --on-accent: #ffffff; --good: #17734f; --bad: #b3261e; --warn: #96590a; --idle: #6d7789;
  --good-ground: #e2f3eb; --bad-ground: #fbe7e5; --warn-ground: #fdf0d9; --idle-ground: #eceff3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --panel: #1a202a; --ink: #e7ebf2; --muted: #a0abbc; --line: #303947;
    --accent: #7aa5f8; --on-accent: #0d1420; --good: #5fcb9c; --bad: #ff8f85; --warn: #eeb65c; --idle: #97a3b5;
    --good-ground: #14332a; --bad-ground: #40201f; --warn-ground: #3a2c12; --idle-ground: #262e3a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
#report { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; letter-spacing: -0.01em; }
h2 { font-size: 1.25rem; margin: 0 0 12px; letter-spacing: -0.005em; }
h3 { font-size: 1rem; margin: 20px 0 6px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding-top: 28px; margin-top: 32px; }
header + main > section:first-child { margin-top: 24px; }
code, pre { font: 0.875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.eyebrow { text-transform: uppercase; letter-spacing: 0.09em; font-size: 0.75rem; font-weight: 600; color: var(--muted); margin-bottom: 6px; }
.muted { color: var(--muted); font-size: 0.9rem; font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.pill, .tag { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 0.8rem; font-weight: 600; letter-spacing: 0; vertical-align: middle; white-space: nowrap; background: var(--idle-ground); color: var(--ink); }
.pill.good, .tag.answered { background: var(--good-ground); color: var(--good); }
.pill.bad, .tag.failed { background: var(--bad-ground); color: var(--bad); }
.pill.warn, .tag.truncated, .tag.refused { background: var(--warn-ground); color: var(--warn); }
.banner { background: var(--warn-ground); border-left: 4px solid var(--warn); border-radius: 4px; padding: 10px 14px; margin-top: 14px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 0 0 14px; }
.tile { background: var(--panel); border-radius: 8px; padding: 14px 16px; border-top: 3px solid var(--line); }
.tile.good { border-color: var(--good); } .tile.bad { border-color: var(--bad); } .tile.idle { border-color: var(--idle); }
.tile dt { color: var(--muted); font-size: 0.85rem; }
.tile dd { margin: 0; font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tile dd .muted { display: block; font-size: 0.85rem; }
.stack { display: flex; gap: 2px; height: 10px; border-radius: 5px; overflow: hidden; margin-bottom: 14px; }
.stack span { flex: 0 1 0; min-width: 3px; }
.stack .good, .swatch.good { background: var(--good); } .stack .bad, .swatch.bad, .bar-fill.bad { background: var(--bad); }
.stack .idle, .bar-fill.idle { background: var(--idle); } .swatch.accent, .bar-fill.accent { background: var(--accent); } .swatch.warn { background: var(--warn); }
.bar { display: inline-block; width: 90px; height: 8px; border-radius: 4px; background: var(--idle-ground); margin-right: 10px; vertical-align: baseline; overflow: hidden; }
.bar-fill { display: block; height: 100%; }
.scroll { overflow-x: auto; margin-bottom: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--muted); font-weight: 600; font-size: 0.8rem; white-space: nowrap; }
tbody th { font-weight: 500; }
td bdi, td strong, th bdi, th code { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin: 8px 0 12px; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; padding: 3px 0; }
details .scroll { max-height: 420px; overflow-y: auto; }
figure { margin: 8px 0; }
.chart svg { display: block; width: 100%; height: auto; font-family: inherit; color: var(--muted); --plot-background: var(--ground); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 0.85rem; margin-bottom: 4px; }
.key { display: inline-flex; align-items: center; gap: 6px; }
.swatch { width: 12px; height: 12px; border-radius: 3px; display: inline-block; }
.halves { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 40px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 24px; align-items: center; justify-content: space-between; margin-bottom: 10px; }
.filters { display: flex; flex-wrap: wrap; gap: 6px; }
button { font: inherit; color: inherit; cursor: pointer; }
.filters button { border: 1px solid var(--line); background: var(--ground); border-radius: 999px; padding: 3px 12px; font-size: 0.875rem; }
.filters button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.filters button:disabled { color: var(--muted); cursor: default; background: var(--panel); }
.badge { font-variant-numeric: tabular-nums; }
label { font-size: 0.9rem; }
input[type="search"] { font: inherit; font-size: 0.9rem; color: inherit; background: var(--ground); border: 1px solid var(--idle); border-radius: 6px; padding: 5px 10px; width: 20rem; max-width: 100%; }
input::placeholder { color: var(--muted); opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table.rows { table-layout: fixed; min-width: 720px; }
table.rows th:nth-child(1) { width: 17%; } table.rows th:nth-child(2) { width: 16%; } table.rows th:nth-child(5) { width: 90px; }
table.rows .tag { white-space: normal; overflow-wrap: anywhere; border-radius: 10px; }
.open { border: 0; background: none; padding: 0; text-align: left; color: var(--accent); overflow-wrap: anywhere; }
.open::before { content: "▸ "; } .open[aria-expanded="true"]::before { content: "▾ "; }
.preview { overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.more { border: 1px solid var(--line); background: var(--ground); border-radius: 6px; padding: 5px 14px; font-size: 0.875rem; }
.detail > td { background: var(--panel); padding: 14px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.pane h3 { margin-top: 0; }
pre { margin: 0 0 8px; padding: 12px; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 480px; overflow: auto; unicode-bidi: plaintext; }
.pane pre { background: var(--ground); }
.facts { display: grid; gap: 4px; margin: 12px 0; font-size: 0.9rem; }
.facts div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); }
.facts dt { color: var(--muted); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.files { padding-left: 20px; overflow-wrap: anywhere; }
footer { margin-top: 40px; }
[hidden] { display: none !important; }
@media (max-width: 720px) {
  #report { padding: 24px 16px 48px; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  .halves, .pair { grid-template-columns: minmax(0, 1fr); }
  .chart { overflow-x: auto; } .chart svg { min-width: 560px; } .halves .chart svg { min-width: 0; }
  input[type="search"] { width: 100%; } label { width: 100%; }
}
@media print {
  body { font-size: 11pt; } #report { max-width: none; padding: 0; }
  .controls, summary { display: none; }
  section, figure, tr { break-inside: avoid; } section { break-inside: auto; }
  .scroll, pre { overflow: visible; max-height: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
