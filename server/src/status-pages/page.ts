import { lengthInWords } from '@nines/base/length-words.ts';
import { type Html, html, trusted } from '../platform/html.ts';
import { type Announcement, PAGE_LANGUAGES, type StatusPageSpec, beganAtMs, isOpen, latest } from './contract.ts';
import { type PlannedWork, type ServiceSight, type Sight, affectedOf, byWindow, namesOf } from './evaluate.ts';
import { HATCH, barsOf, factsOf, isTroubled, shapeOf, stateMark, uptimeHtml } from './marks.ts';
import { type Times, timesIn } from './times.ts';
import { type PageWords, wordsIn } from './words.ts';

/** Where the notice goes that a page is old. */
const STALE_SLOT = '<!--stale-->';

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
  const words = wordsIn(spec.language);
  const said: Said = { names: namesOf(sight.groups), times, words };
  return layout(frame, {
    title: spec.title,
    feeds: true,
    body: html`${trusted(STALE_SLOT)}
${sight.open.map((one) => matter(one, said))}
<p class="banner b-${sight.state}">${shapeOf(sight.state, 28)}<span>${words.headline(sight.state, affectedOf(sight))}</span></p>
${sight.groups.map((group) => groupHtml(group, words, partOf))}
${legend(words)}
${work(sight, said)}
${past(sight.past, spec.days, said)}
${subscribe(frame)}`,
    foot: html`<p>${around(words.asOf(SLOT, spec.zone), times.html(sight.atMs))} ${words.explained} ${spec.maintenance === 'excluded' ? words.excluded : words.counted}</p>`,
  });
}

/** Where an element goes in a sentence. */
const SLOT = '\u0000';
const around = (sentence: string, element: Html): Html =>
  html`${sentence.split(SLOT).map((part, i) => html`${i === 0 ? null : element}${part}`)}`;

type Said = { readonly names: ReadonlyMap<string, string>; readonly times: Times; readonly words: PageWords };

type Layout = { readonly title: string; readonly body: Html; readonly foot: Html | null; readonly feeds: boolean };

/** The frame of every page of a status page. */
export function layout({ spec, style, path, hasLogo }: PageFrame, { title, body, foot, feeds }: Layout): string {
  const words = wordsIn(spec.language);
  const links = feeds
    ? html`<link rel="alternate" type="application/atom+xml" title="Atom" href="${path}/feed.atom"><link rel="alternate" type="application/rss+xml" title="RSS" href="${path}/feed.rss">`
    : null;
  return html`<!doctype html>
<html lang="${words.language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${spec.private === undefined ? null : html`<meta name="robots" content="noindex">`}${links}<link rel="icon" href="${feeds ? `${path}/icon.svg` : 'data:,'}"><style>${trusted(style)}</style></head>
<body><a class="skip" href="#content">${words.skip}</a>
<header class="top">${hasLogo ? html`<img src="${path}/logo" alt="">` : null}<div><h1>${spec.title}</h1>${spec.description === '' ? null : html`<p class="lead">${spec.description}</p>`}</div></header>
${HATCH}
<main id="content">
${body}
</main>
<footer>${foot}${feeds ? html`<nav aria-label="${words.feeds}" class="no-print"><a href="${path}/feed.rss">RSS</a><a href="${path}/feed.atom">Atom</a><a href="${path}/calendar.ics">${words.calendar}</a><a href="${path}/status.json">JSON</a></nav>` : null}</footer>
</body></html>`.markup;
}

/** A written page with the notice, in its language, that what it shows is older than it should be. */
export function withStaleNotice(page: string): string {
  const language = PAGE_LANGUAGES.find((one) => page.includes(`<html lang="${one}">`)) ?? 'en';
  return page.replace(STALE_SLOT, html`<p class="stale" role="status">${wordsIn(language).stale}</p>`.markup);
}

function groupHtml({ name, services }: Sight['groups'][number], words: PageWords, partOf: (service: string) => Html | null): Html {
  return html`<section${name === '' ? html` aria-label="${words.services}"` : null}>${name === '' ? null : html`<h2>${name}</h2>`}<div class="group">${services.map(({ id }) => partOf(id))}</div></section>`;
}

/** One service with its bars and its days. */
export function serviceHtml(service: ServiceSight, { days, language }: StatusPageSpec): Html {
  const words = wordsIn(language);
  const { name, description, state, history } = service;
  const troubled = history.days.filter(isTroubled).toReversed();
  return html`<article class="service" id="service-${service.id}">
<div class="head"><h3>${name}</h3>${stateMark(state, words.states[state])}</div>
${description === '' ? null : html`<p class="lead">${description}</p>`}
${barsOf(history, name, words)}
<p class="ends"><span>${words.daysAgo(days)}</span>${uptimeHtml(history, words, ` ${words.uptime}`)}<span>${words.today}</span></p>
<details><summary>${words.figures}</summary><div class="scroll" role="region" aria-label="${words.figuresOf(name)}" tabindex="0">
<table><thead><tr><th scope="col">${words.window}</th><th scope="col">${words.uptimeHead}</th></tr></thead><tbody>${history.recent.map((one) => html`<tr><td>${lengthInWords(one.windowMs)}</td><td>${uptimeHtml(one, words)}</td></tr>`)}<tr><td>${words.days(days)}</td><td>${uptimeHtml(history, words)}</td></tr></tbody></table>
${troubled.length === 0 ? null : html`<table><thead><tr><th scope="col">${words.day}</th><th scope="col">${words.seen}</th></tr></thead><tbody>${troubled.map((day) => html`<tr><td>${day.name}</td><td>${factsOf(day, words)}</td></tr>`)}</tbody></table>`}</div></details>
</article>`;
}

const LEGEND = ['up', 'degraded', 'down', 'maintenance', 'unknown'] as const;

const legend = (words: PageWords): Html =>
  html`<ul class="legend" aria-label="${words.legend}">${LEGEND.map((state) => html`<li>${shapeOf(state)}${words.legendOf[state]}</li>`)}</ul>`;

/** One announcement with its updates, newest first. */
function matter(one: Announcement, { names, times, words }: Said): Html {
  const about = one.services.flatMap((id) => names.get(id) ?? []);
  const { state } = latest(one);
  return html`<article class="matter${isOpen(one) ? ' open' : ''}" id="announcement-${one.id}">
<div class="head"><h3>${one.title}</h3><span class="state">${words.announcements[state]}</span></div>
<p class="lead">${about.length === 0 ? null : html`${about.join(', ')} · `}${around(words.since(SLOT), times.html(beganAtMs(one)))}</p>
<ol>${one.updates.toReversed().map((update) => html`<li><b>${words.announcements[update.state]}</b> · ${times.html(update.atMs)}<p class="said">${update.text}</p></li>`)}</ol>
</article>`;
}

/** What goes on, and of each window that comes again the next time; the others are in the calendar. */
function work({ maintenance, atMs }: Sight, { names, times, words }: Said): Html | null {
  if (maintenance.length === 0) return null;
  const item = ([one, ...later]: readonly PlannedWork[]): Html | null => {
    if (one === undefined) return null;
    const about = one.services.flatMap((id) => names.get(id) ?? []).join(', ');
    const again = later[0] === undefined ? null : html`<p class="lead">${around(words.again(SLOT), times.html(later[0].fromMs))}</p>`;
    const mark = stateMark('maintenance', one.fromMs <= atMs ? words.goingOn : words.planned);
    return html`<article class="matter"><div class="head"><h3>${one.name}</h3>${mark}</div><p class="lead">${about} · ${words
      .span(SLOT, SLOT)
      .split(SLOT)
      .map(
        (part, i) => html`${part}${i === 0 ? times.html(one.fromMs) : i === 1 ? times.html(one.toMs) : null}`,
      )} (${lengthInWords(one.toMs - one.fromMs)})</p>${again}</article>`;
  };
  return html`<section><h2>${words.states.maintenance}</h2>${byWindow(maintenance).map(item)}</section>`;
}

const past = (all: readonly Announcement[], days: number, said: Said): Html =>
  html`<section><h2>${said.words.pastDays(days)}</h2>${all.length === 0 ? html`<p class="faint">${said.words.nothingPast}</p>` : all.map((one) => matter(one, said))}</section>`;

function subscribe({ spec, path }: PageFrame): Html | null {
  const { email, webhook } = spec.subscriptions;
  if (email === undefined && !webhook) return null;
  const action = `${path}/subscribe`;
  const words = wordsIn(spec.language);
  return html`<section class="no-print"><h2>${words.subscribe}</h2>
${email === undefined ? null : html`<form method="post" action="${action}"><label>${words.email}<input type="email" name="email" required autocomplete="email" maxlength="254"></label><button>${words.byEmail}</button></form>`}
${webhook ? html`<form method="post" action="${action}"><label>${words.webhook}<input type="url" name="webhook" required placeholder="https://…" maxlength="2000"></label><button>${words.byWebhook}</button></form>` : null}
</section>`;
}
