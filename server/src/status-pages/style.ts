import { createHash } from 'node:crypto';
import type { StatusPageSpec } from './contract.ts';
import { inkOn } from './colours.ts';

const ACCENT = '#4450c4';
const ACCENT_DARK = '#a3acff';

/**
 * The style sheet of a page: the product's colours of states, the page's own accent. Green, amber, red and blue are states and nothing else;
 * the accent marks what can be acted on, and the edge of the page.
 */
export function styleOf({ colours }: Pick<StatusPageSpec, 'colours'>): string {
  const accent = colours.accent ?? ACCENT;
  const dark = colours.accent_dark ?? colours.accent ?? ACCENT_DARK;
  return `
:root{color-scheme:light dark;--accent:${accent};--on-accent:${inkOn(accent)};${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root{--accent:${dark};--on-accent:${inkOn(dark)};${DARK}}}${SHEET}`;
}

/** What a browser may do with a page: show it, its logo and its badges, and send its forms back. The style sheet is named by its hash. */
export const policyOf = (style: string): string =>
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

const LIGHT =
  '--up:#1a9e6f;--degraded:#d98e04;--down:#d1344b;--unknown:#8d95a5;--maintenance:#2f7fd1;--ground:#f6f7f9;--surface:#fff;--line:#e4e7ed;--strong:#c9cfda;--ink:#151922;--soft:#434b5c;--faint:#626b7d;--hatch:#fff';
const DARK =
  '--up:#35b687;--degraded:#e5a52b;--down:#ec5a6d;--unknown:#7f899c;--maintenance:#5b9fe6;--ground:#0e1116;--surface:#151920;--line:#242a35;--strong:#3a4353;--ink:#e9ecf2;--soft:#b4bccb;--faint:#8f98a9;--hatch:#151920';

const SHEET = `
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/24px Inter,system-ui,-apple-system,"Segoe UI",sans-serif;border-top:6px solid var(--accent);overflow-wrap:anywhere}
main,.top,footer{max-width:880px;margin:0 auto;padding:0 24px}
h1{font-size:28px;line-height:36px;font-weight:650;margin:0}
h2{font-size:18px;line-height:24px;font-weight:650;margin:40px 0 16px}
h3{font-size:16px;line-height:24px;font-weight:600;margin:0}
p{margin:8px 0}
a{color:inherit}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-9999px}.skip:focus{position:static;display:inline-block;margin:8px 24px}
.top{display:flex;align-items:center;gap:16px;padding-top:32px;padding-bottom:8px}
.top img{max-height:48px;max-width:200px;display:block}
.lead,.faint,time{color:var(--faint)}
.lead{margin:0}
svg{display:block}
.banner{display:flex;align-items:center;gap:16px;background:var(--surface);border:1px solid var(--line);border-left:6px solid var(--unknown);border-radius:8px;padding:24px;margin:24px 0;font-size:22px;line-height:28px;font-weight:650}
.banner svg{flex:none}
.b-up{border-left-color:var(--up)}.b-degraded{border-left-color:var(--degraded)}.b-down{border-left-color:var(--down)}.b-maintenance{border-left-color:var(--maintenance)}
.stale{background:var(--surface);border:1px dashed var(--strong);border-radius:8px;padding:12px 24px;margin:24px 0}
.group{background:var(--surface);border:1px solid var(--line);border-radius:8px}
.service{padding:16px 24px}
.service+.service{border-top:1px solid var(--line)}
.head{display:flex;justify-content:space-between;gap:16px;align-items:baseline;flex-wrap:wrap}
.state{display:inline-flex;align-items:center;gap:8px;font-weight:600;white-space:nowrap}
.bars{width:100%;height:32px;margin:12px 0 4px}
.u,.f-up{fill:var(--up)}.g,.f-degraded{fill:var(--degraded)}.d,.f-down{fill:var(--down)}.m,.f-maintenance{fill:var(--maintenance)}.k{fill:url(#hatch)}
.hatch-line{stroke:var(--unknown);stroke-width:1.2;stroke-opacity:.7}.hatch-ground{fill:var(--hatch)}.edge{stroke:var(--unknown);stroke-width:1.3}
.ends{display:flex;justify-content:space-between;gap:8px;color:var(--faint);font-size:13px;line-height:20px;margin:0;font-variant-numeric:tabular-nums}
.ends b{color:var(--ink);font-weight:600}.doubt{color:var(--faint);font-weight:400}
details{margin-top:8px;font-size:14px}
summary{cursor:pointer;color:var(--soft);width:max-content;max-width:100%}
.scroll{overflow-x:auto}
table+table{margin-top:16px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;width:100%}
th{text-align:left;font-weight:500;color:var(--faint)}
td:first-child{white-space:nowrap}
th,td{padding:4px 16px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
.matter{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:16px 24px;margin:16px 0}
.matter.open{border-left:6px solid var(--accent)}
.matter ol{list-style:none;margin:8px 0 0;padding:0}
.matter li{padding:8px 0;border-top:1px solid var(--line)}
.matter li:first-child{border-top:0}
.said{white-space:pre-line;margin:0}
form{display:flex;gap:8px;flex-wrap:wrap;align-items:end;margin:8px 0 16px}
label{display:grid;gap:4px;font-size:14px;color:var(--soft);flex:1 1 240px;max-width:420px}
input{font:inherit;color:var(--ink);background:var(--surface);border:1px solid var(--unknown);border-radius:6px;padding:8px 12px;min-height:44px;width:100%}
button{font:inherit;font-weight:600;background:var(--accent);color:var(--on-accent);border:1px solid var(--accent);border-radius:6px;padding:8px 16px;min-height:44px;cursor:pointer}
.legend{display:flex;flex-wrap:wrap;gap:4px 24px;padding:0;margin:16px 0 0;list-style:none;font-size:14px;color:var(--soft)}
.legend li{display:inline-flex;align-items:center;gap:8px}
footer{padding-top:24px;padding-bottom:48px;color:var(--faint);font-size:14px}
footer nav{display:flex;gap:4px 24px;flex-wrap:wrap}
footer nav a{padding:8px 0}
@media (max-width:600px){main,.top,footer{padding-left:16px;padding-right:16px}.banner{padding:16px;font-size:18px;line-height:24px}.service,.matter{padding:16px}h1{font-size:24px;line-height:32px}button{width:100%}label{max-width:none;flex-basis:100%}}
@media print{body{background:#fff;border-top-width:2px}form,.no-print,summary{display:none}.group,.matter,.banner{break-inside:avoid}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
