import { lengthInWords } from '@nines/base/length-words.ts';
import { type Html, html, trusted } from '../platform/html.ts';
import { type Announcement, type StatusPageSpec, beganAtMs, isOpen, latest } from './contract.ts';
import { ANNOUNCEMENT_WORDS, type PlannedWork, type ServiceSight, type Sight, byWindow, headlineOf, namesOf } from './evaluate.ts';
import { HATCH, barsOf, factsOf, isTroubled, shapeOf, stateMark, uptimeHtml } from './marks.ts';
import { type Times, timesIn } from './times.ts';

/** Where `staleNotice` goes when the page is served late. */
export const STALE_SLOT = '<!--stale-->';

export type PageFrame = {
  readonly spec: StatusPageSpec;
  readonly style: string;
  /** Where the page is on its server, without a slash at the end: `/status/shop`. */
  readonly path: string;
  readonly hasLogo: boolean;
};

/** The page as a whole, with what was written of each service: no script, no request but for the logo, readable on paper. All that people or services are called is text. */
export function pageHtml(frame: PageFrame, sight: Sight, partOf: (service: string) => Html | null): string {
  const { spec } = frame;
  const times = timesIn(spec.zone);
  const names = namesOf(sight.groups);
  return layout(frame, {
    title: spec.title,
    feeds: true,
    body: html`${trusted(STALE_SLOT)}
${sight.open.map((one) => matter(one, names, times))}
<p class="banner b-${sight.state}">${shapeOf(sight.state, 28)}<span>${headlineOf(sight)}</span></p>
${sight.groups.map((group) => groupHtml(group, partOf))}
${legend()}
${work(sight, names, times)}
${past(sight.past, { names, times, days: spec.days })}
${subscribe(frame)}`,
    foot: html`<p>As of ${times.html(sight.atMs)}. All times are those of ${spec.zone}. Uptime is the time up or degraded over the time of which something is known, truncated and never rounded up; digits within the doubt of the evidence are faint. ${spec.maintenance === 'excluded' ? 'Planned maintenance is not counted.' : 'Planned maintenance counts like any other time.'}</p>`,
  });
}

type Layout = { readonly title: string; readonly body: Html; readonly foot: Html | null; readonly feeds: boolean };

/** The frame of every page of a status page. */
export function layout({ spec, style, path, hasLogo }: PageFrame, { title, body, foot, feeds }: Layout): string {
  const links = feeds
    ? html`<link rel="alternate" type="application/atom+xml" title="Atom" href="${path}/feed.atom"><link rel="alternate" type="application/rss+xml" title="RSS" href="${path}/feed.rss">`
    : null;
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${spec.private === undefined ? null : html`<meta name="robots" content="noindex">`}${links}<link rel="icon" href="${feeds ? `${path}/icon.svg` : 'data:,'}"><style>${trusted(style)}</style></head>
<body><a class="skip" href="#content">Skip to the content</a>
<header class="top">${hasLogo ? html`<img src="${path}/logo" alt="">` : null}<div><h1>${spec.title}</h1>${spec.description === '' ? null : html`<p class="lead">${spec.description}</p>`}</div></header>
${HATCH}
<main id="content">
${body}
</main>
<footer>${foot}${feeds ? html`<nav aria-label="Feeds" class="no-print"><a href="${path}/feed.rss">RSS</a><a href="${path}/feed.atom">Atom</a><a href="${path}/calendar.ics">Maintenance calendar</a><a href="${path}/status.json">JSON</a></nav>` : null}</footer>
</body></html>`.markup;
}

/** What stands in the place of `STALE_SLOT` when what the page shows is older than it should be. */
export const staleNotice = (): string =>
  html`<p class="stale" role="status">The monitor is busy. This is what was known last; when that was stands at the end of the page.</p>`
    .markup;

function groupHtml({ name, services }: Sight['groups'][number], partOf: (service: string) => Html | null): Html {
  return html`<section${name === '' ? html` aria-label="Services"` : null}>${name === '' ? null : html`<h2>${name}</h2>`}<div class="group">${services.map(({ id }) => partOf(id))}</div></section>`;
}

/** One service with its bars and its days. */
export function serviceHtml(service: ServiceSight, { days }: StatusPageSpec): Html {
  const { name, description, state, history } = service;
  const troubled = history.days.filter(isTroubled).toReversed();
  return html`<article class="service" id="service-${service.id}">
<div class="head"><h3>${name}</h3>${stateMark(state)}</div>
${description === '' ? null : html`<p class="lead">${description}</p>`}
${barsOf(history, name)}
<p class="ends"><span>${days} days ago</span>${uptimeHtml(history, ' uptime')}<span>today</span></p>
<details><summary>Figures and days</summary><div class="scroll" role="region" aria-label="Figures and days of ${name}" tabindex="0">
<table><thead><tr><th scope="col">Window</th><th scope="col">Uptime</th></tr></thead><tbody>${history.recent.map((one) => html`<tr><td>${lengthInWords(one.windowMs)}</td><td>${uptimeHtml(one)}</td></tr>`)}<tr><td>${days} days</td><td>${uptimeHtml(history)}</td></tr></tbody></table>
${troubled.length === 0 ? null : html`<table><thead><tr><th scope="col">Day</th><th scope="col">What was seen</th></tr></thead><tbody>${troubled.map((day) => html`<tr><td>${day.name}</td><td>${factsOf(day)}</td></tr>`)}</tbody></table>`}</div></details>
</article>`;
}

const legend = (): Html =>
  html`<ul class="legend" aria-label="What the bars mean"><li>${shapeOf('up')}Up</li><li>${shapeOf('degraded')}Degraded: a short bar</li><li>${shapeOf('down')}Down: a broken bar</li><li>${shapeOf('maintenance')}Maintenance</li><li>${shapeOf('unknown')}Not known</li></ul>`;

/** One announcement with its updates, newest first. */
function matter(one: Announcement, names: ReadonlyMap<string, string>, times: Times): Html {
  const about = one.services.flatMap((id) => names.get(id) ?? []);
  const { state } = latest(one);
  return html`<article class="matter${isOpen(one) ? ' open' : ''}" id="announcement-${one.id}">
<div class="head"><h3>${one.title}</h3><span class="state">${ANNOUNCEMENT_WORDS[state]}</span></div>
<p class="lead">${about.length === 0 ? null : html`${about.join(', ')} · `}since ${times.html(beganAtMs(one))}</p>
<ol>${one.updates.toReversed().map((update) => html`<li><b>${ANNOUNCEMENT_WORDS[update.state]}</b> · ${times.html(update.atMs)}<p class="said">${update.text}</p></li>`)}</ol>
</article>`;
}

/** What goes on, and of each window that comes again the next time; the others are in the calendar. */
function work({ maintenance, atMs }: Sight, names: ReadonlyMap<string, string>, times: Times): Html | null {
  if (maintenance.length === 0) return null;
  const item = ([one, ...later]: readonly PlannedWork[]): Html | null => {
    if (one === undefined) return null;
    const about = one.services.flatMap((id) => names.get(id) ?? []).join(', ');
    const again = later[0] === undefined ? null : html`<p class="lead">Then again ${times.html(later[0].fromMs)}</p>`;
    const mark = stateMark('maintenance', one.fromMs <= atMs ? 'Going on' : 'Planned');
    return html`<article class="matter"><div class="head"><h3>${one.name}</h3>${mark}</div><p class="lead">${about} · ${times.html(one.fromMs)} to ${times.html(one.toMs)} (${lengthInWords(one.toMs - one.fromMs)})</p>${again}</article>`;
  };
  return html`<section><h2>Maintenance</h2>${byWindow(maintenance).map(item)}</section>`;
}

type Past = { readonly names: ReadonlyMap<string, string>; readonly times: Times; readonly days: number };

const past = (all: readonly Announcement[], { names, times, days }: Past): Html =>
  html`<section><h2>What was announced in the last ${days} days</h2>${all.length === 0 ? html`<p class="faint">Nothing that is over.</p>` : all.map((one) => matter(one, names, times))}</section>`;

function subscribe({ spec, path }: PageFrame): Html | null {
  const { email, webhook } = spec.subscriptions;
  if (email === undefined && !webhook) return null;
  const action = `${path}/subscribe`;
  return html`<section class="no-print"><h2>Be told of announcements</h2>
${email === undefined ? null : html`<form method="post" action="${action}"><label>Email address<input type="email" name="email" required autocomplete="email" maxlength="254"></label><button>Subscribe by email</button></form>`}
${webhook ? html`<form method="post" action="${action}"><label>Webhook address<input type="url" name="webhook" required placeholder="https://…" maxlength="2000"></label><button>Subscribe a webhook</button></form>` : null}
</section>`;
}
