import { createHash } from 'node:crypto';
import { type Html, escapeHtml, html, trusted } from '../../platform/html.ts';
import { FAINT, INK, LINE, SERIES, SOFT } from '../drawn/colours.ts';
import { draw } from '../drawn/draw.ts';
import type { DrawnBoard } from '../drawn/drawer.ts';
import { bandsOf, placesOf, type Place } from '../drawn/places.ts';
import { minute } from '../drawn/show.ts';
import type { Shown } from '../drawn/shown.ts';
import { svgOf } from '../drawn/svg.ts';
import type { DashboardSpec } from '../model.ts';
import type { EmbedLink } from './contract.ts';

/** The page that stands in pages of others: drawings and tables, one small script that asks for newer ones. */

/** Letters of a drawing are made for paper: on a screen everything is so much larger. */
const LARGER = 1.25;
const WIDE = 1_160 / LARGER;
const NARROW = 360 / LARGER;
const ROW = 28 / LARGER;
const HEIGHTS = { least: 90 / LARGER, most: 560 / LARGER, narrow: 240 / LARGER } as const;
/** How often an open page asks; a link that was revoked is gone from it within this. */
const ASK_EVERY_MS = 5_000;

const DARK: Readonly<Record<string, string>> = {
  [INK]: '#e9ecf2',
  [SOFT]: '#b4bccb',
  [FAINT]: '#8f98a9',
  [LINE]: '#2c3340',
  '#eef1f8': '#1b2233',
  '#c8d3e8': '#26365a',
  '#9db1d6': '#3a5489',
  '#6f8cc0': '#5b7ab5',
  '#22365a': '#c8d8f5',
  '#1a9e6f': '#35b687',
  '#d98e04': '#e5a52b',
  '#d1344b': '#ec5a6d',
  ...Object.fromEntries(
    SERIES.map((colour, i) => [
      colour,
      ['#8fb0e6', '#4cc3cf', '#d590ce', '#cba376', '#6db4e8', '#b0a2f2', '#a3adbd', '#e79bbf'][i] ?? colour,
    ]),
  ),
};

/** A drawing's colour in the link's looks. */
const painter =
  ({ theme, colours }: EmbedLink) =>
  (colour: string): string => {
    if (colour === SERIES[0] && colours.accent !== undefined) return colours.accent;
    if (colour === INK && colours.text !== undefined) return colours.text;
    return theme === 'dark' ? (DARK[colour] ?? colour) : colour;
  };

type Board = { readonly spec: DashboardSpec; readonly link: EmbedLink; readonly board: DrawnBoard };

/** What changes while the page stands open. */
export function boardHtml({ spec, link, board }: Board): string {
  const paint = painter(link);
  const panelOf = (place: Place, whole = false): Html => {
    const shown = board.shown.get(place.panel) ?? { kind: 'nothing' as const, why: 'This is not part of the dashboard any more.' };
    const title = spec.panels[place.panel]?.title ?? '';
    const size = {
      width: (WIDE * place.w) / 24,
      height: Math.min(HEIGHTS.most, Math.max(HEIGHTS.least, (whole ? 14 : place.h) * ROW - 30)),
    };
    return html`<section class="panel w${place.w}"><h2>${title}</h2>${bodyOf({ shown, title, size, paint })}</section>`;
  };
  const only = link.panel;
  const parts =
    only !== undefined
      ? [html`<div class="band">${panelOf({ panel: only, x: 0, y: 0, w: 24, h: 14 }, true)}</div>`]
      : placesOf(spec).flatMap(({ title, places }) => [
          ...(title === '' ? [] : [html`<h2 class="section">${title}</h2>`]),
          ...bandsOf(places).map((band) => html`<div class="band">${band.map((place) => panelOf(place))}</div>`),
        ]);
  const chosen = board.chosen === '' ? '' : ` · ${board.chosen}`;
  return html`${parts}<p class="span">${minute(board.fromMs)} to ${minute(board.toMs)} UTC${chosen}</p>`.markup;
}

type Body = {
  readonly shown: Shown;
  readonly title: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly paint: (colour: string) => string;
};

function bodyOf({ shown, title, size, paint }: Body): Html {
  switch (shown.kind) {
    case 'nothing':
      return html`<p class="nothing">${shown.why}</p>`;
    case 'words':
      return html`${shown.lines.map((line) => html`<p>${line}</p>`)}`;
    case 'table': {
      const cell = (text: string, i: number): Html =>
        shown.right.includes(i) ? html`<td class="right">${text}</td>` : html`<td>${text}</td>`;
      return html`<div class="scroll"><table><thead><tr>${shown.columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${shown.rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
    }
    default: {
      const narrow = {
        width: NARROW,
        height: shown.kind === 'figure' ? Math.min(size.height, HEIGHTS.narrow / 2) : Math.min(size.height, HEIGHTS.narrow),
      };
      return html`<div class="wide">${trusted(svgOf(draw(shown, size), title, paint))}</div><div class="narrow">${trusted(svgOf(draw(shown, narrow), title, paint))}</div>`;
    }
  }
}

const SCRIPT = `(function(){var m=document.getElementById('board'),s=document.getElementById('state'),u=location.pathname+'/board',last='',t;
function next(){clearTimeout(t);t=setTimeout(ask,${ASK_EVERY_MS})}
function end(w){m.textContent='';s.textContent=w;s.hidden=false}
function ask(){if(document.hidden)return next();fetch(u,{cache:'no-cache',credentials:'omit',referrerPolicy:'no-referrer'}).then(function(r){
if(r.status===404)return end('This link does not show anything any more.');
if(!r.ok)throw 0;return r.text().then(function(x){if(x!==last){last=x;m.innerHTML=x}s.hidden=true;next()})
}).catch(function(){s.textContent='Not connected: these are the last known values.';s.hidden=false;next()})}
document.addEventListener('visibilitychange',function(){if(!document.hidden)ask()});next()})();`;

const SPANS = Array.from({ length: 24 }, (_, i) => `.w${i + 1}{grid-column:span ${i + 1}}`).join('');

function styleOf({ theme, colours }: EmbedLink): string {
  const dark = theme === 'dark';
  const [ground, text] = [colours.ground ?? (dark ? '#0e1116' : '#ffffff'), colours.text ?? (dark ? '#e9ecf2' : INK)];
  const [line, faint] = dark ? ['#2c3340', '#8f98a9'] : [LINE, FAINT];
  const accent = colours.accent ?? (dark ? '#8fb0e6' : SERIES[0]);
  return `*{box-sizing:border-box}body{margin:0;padding:16px;background:${ground};color:${text};color-scheme:${theme};font:14px/1.45 Inter,system-ui,sans-serif}header{display:flex;gap:12px;align-items:center;margin-bottom:16px;padding-bottom:10px;border-bottom:3px solid ${accent}}header img{max-height:40px;max-width:200px}h1{font-size:18px;margin:0}h2{font-size:14px;margin:0 0 6px;overflow-wrap:anywhere}.section{margin:20px 0 8px;font-size:16px}.band{display:grid;grid-template-columns:repeat(24,minmax(0,1fr));gap:16px;margin-bottom:16px}.panel{min-width:0;padding:12px;border:1px solid ${line};border-radius:8px}.panel svg{display:block;width:100%;height:auto}.narrow{display:none}.nothing,.span{color:${faint}}.panel p{margin:0 0 6px;overflow-wrap:anywhere}.scroll{overflow-x:auto;max-height:420px}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:5px 8px;text-align:left;border-bottom:1px solid ${line}}th{font-weight:500;color:${faint}}.right{text-align:right}#state{margin:0 0 12px;padding:8px 12px;border:1px solid ${line};border-left:3px solid ${accent}}${SPANS}@media(max-width:700px){.band{display:block}.panel{margin-bottom:12px}.wide{display:none}.narrow{display:block}}`;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy of the page: its own style and script, pictures that it carries itself, and whom it may stand in. */
export const policyOf = (link: EmbedLink): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(styleOf(link))}`,
    `script-src ${hashOf(SCRIPT)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${link.sites.length === 0 ? "'none'" : link.sites.join(' ')}`,
  ].join('; ');

export function pageHtml({ spec, link }: Pick<Board, 'spec' | 'link'>, board: string): string {
  const title = link.title ?? (link.panel === undefined ? spec.title : (spec.panels[link.panel]?.title ?? spec.title));
  const logo = link.logo === undefined ? null : html`<img src="${link.logo}" alt="">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${styleOf(link)}</style></head>
<body>${html`<header>${logo}<h1>${title}</h1></header><p id="state" role="status" hidden></p>`.markup}<main id="board">${board}</main><script>${SCRIPT}</script></body></html>
`;
}

/** Whoever shows a link that is over shows these words, wherever that is. */
const STILL = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors https: http:";
/** The same for every link that opens nothing. */
export const NOTHING_HERE = {
  status: 404,
  policy: STILL,
  text: '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Nothing here</title></head><body><p>This link does not show anything, or not any more.</p></body></html>\n',
} as const;
