/**
 * The style of a printed statement: the product's design language in one self-contained sheet. Light is the default and what
 * is printed; a dark screen gets its own ground. States are the only green, amber and red on the page.
 */
export const STATEMENT_STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1a1d23;--faint:#626a77;--line:#e4e7ec;--up:#1a9e6f;--degraded:#d98e04;--down:#d1344b;--unknown:#9aa1ad;--excluded:#2f7fd1;--wash:#f6f7f9;--met-ink:#0d7350;--risk-ink:#855600;--down-ink:#b92840}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14161a;--ink:#e6e8ec;--faint:#98a0ad;--line:#2a2e36;--wash:#1b1e24;--met-ink:#2fbf8a;--risk-ink:#f0b13c;--down-ink:#f2798a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:48px 32px;max-width:960px;overflow-wrap:break-word;background:var(--ground);color:var(--ink);font:15px/24px Inter,system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:24px;line-height:32px;font-weight:650;margin:0}
h2{font-size:16px;font-weight:650;margin:40px 0 8px}
p{margin:8px 0}
.sub,.note,caption{color:var(--faint)}
header>div{min-width:0}header{display:flex;justify-content:space-between;align-items:flex-start;gap:24px;flex-wrap:wrap}
.status{font-weight:650;white-space:nowrap}
.met{color:var(--met-ink)}.at_risk{color:var(--risk-ink)}.breached{color:var(--down-ink)}.unknown{color:var(--faint)}
.figure{margin:32px 0 8px;font-size:48px;line-height:56px;font-weight:650;font-variant-numeric:tabular-nums}
.figure .doubt{color:var(--faint);font-weight:400}
.figure small{font-size:15px;line-height:24px;font-weight:400;color:var(--faint);margin-left:12px}
svg{display:block;width:100%}
.trend{height:96px;margin-top:8px}.whole{fill:var(--ink)}a{color:inherit}
.bar{height:8px}.strip{height:32px;margin-top:8px}
.track{fill:var(--line)}
rect.s-up{fill:var(--up)}rect.s-degraded{fill:var(--degraded)}rect.s-down{fill:var(--down)}rect.s-unknown{fill:url(#unknown)}
.hatch{stroke:var(--unknown);stroke-width:2}.hatch-ground{fill:var(--wash)}
.fill-met{fill:var(--up)}.fill-at_risk{fill:var(--degraded)}.fill-breached{fill:var(--down)}.fill-unknown{fill:var(--unknown)}
.ends{display:flex;justify-content:space-between;color:var(--faint);font-size:13px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th{text-align:left;font-weight:500;color:var(--faint);padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:bottom}
td{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;min-height:32px}
td.n,th.n{text-align:right}td:last-child,th:last-child{padding-right:0}td.n,td.t{white-space:nowrap}
tfoot td{font-weight:650}
code{font:13px/20px "JetBrains Mono",ui-monospace,monospace;overflow-wrap:anywhere}
footer{margin-top:48px;padding-top:16px;border-top:1px solid var(--line);color:var(--faint);font-size:13px}
@media (max-width:600px){body{padding:24px 16px}table{display:block;overflow-x:auto}.figure{font-size:36px;line-height:44px}}
@media print{body{padding:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
`;
