import { lengthInWords } from '@nines/base/length-words.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { provenDigits } from '@nines/maths/slo/digits.ts';
import { type Html, html } from '../platform/html.ts';
import type { DayBar, History, Uptime } from './days.ts';
import type { ShownState } from './evaluate.ts';
import { type PageWords, wordsIn } from './words.ts';

/** The pattern that means "not known"; once in a page, before the first mark. */
export const HATCH: Html = html`<svg width="0" height="0" aria-hidden="true" focusable="false"><defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="4" height="4"/><line class="hatch-line" x1="1" y1="0" x2="1" y2="4"/></pattern></defs></svg>`;

const SHAPES: Readonly<Record<ShownState, Html>> = {
  up: html`<circle class="f-up" cx="6" cy="6" r="4.5"/>`,
  degraded: html`<path class="f-degraded" d="M6 1.2 11.2 10.6H.8z"/>`,
  down: html`<path class="f-down" d="M1.5 1.5h9v9h-9z"/>`,
  unknown: html`<path class="k edge" d="M6 .9 11.1 6 6 11.1.9 6z"/>`,
  maintenance: html`<path class="f-maintenance" d="M.5 4h11v4.5H.5z"/>`,
};

/** The shape of a state; the word always stands beside it. */
export const shapeOf = (state: ShownState, size = 12): Html =>
  html`<svg width="${size}" height="${size}" viewBox="0 0 12 12" aria-hidden="true" focusable="false">${SHAPES[state]}</svg>`;

export const stateMark = (state: ShownState, word: string): Html => html`<span class="state s-${state}">${shapeOf(state)}${word}</span>`;

const PITCH = 4;
const WIDTH = 3;
const HEIGHT = 32;
/** A gap of a minute in a day must still be seen. */
const LEAST_HATCH = 4;

/** One bar for each day, oldest first. A bar that is broken was down, one that is short degraded; what is hatched nobody knows. */
export function barsOf({ days }: History, name: string, words: PageWords): Html {
  const bars = days.map((day, i) => html`<g>${barOf(day, i * PITCH)}<title>${dayWords(day, words)}</title></g>`);
  return html`<svg class="bars" viewBox="0 0 ${days.length * PITCH - 1} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words.dayByDay(name, summary(days, words))}">${bars}</svg>`;
}

function barOf({ mark, unknownShare, maintenanceMs }: DayBar, x: number): Html {
  if (mark === 'unknown') return box('k', x, [0, HEIGHT]);
  const hatched = unknownShare === 0 ? 0 : Math.min(HEIGHT / 2, Math.max(LEAST_HATCH, Math.round(unknownShare * HEIGHT)));
  const end = HEIGHT - hatched;
  const worked = maintenanceMs > 0 && mark !== 'maintenance' ? box('m', x, [0, 8]) : null;
  return html`${solidOf(mark, x, end)}${hatched === 0 ? null : box('k', x, [end, HEIGHT])}${worked}`;
}

function solidOf(mark: Exclude<DayBar['mark'], 'unknown'>, x: number, end: number): Html {
  switch (mark) {
    case 'up':
      return box('u', x, [0, end]);
    case 'degraded':
      return box('g', x, [8, end]);
    case 'maintenance':
      return box('m', x, [0, end]);
    case 'down': {
      const middle = Math.round(end / 2);
      return html`${box('d', x, [0, middle - 2])}${box('d', x, [middle + 2, end])}`;
    }
  }
}

const box = (kind: string, x: number, [from, to]: readonly [number, number]): Html =>
  html`<path class="${kind}" d="M${x} ${from}h${WIDTH}v${to - from}h-${WIDTH}z"/>`;

function summary(days: readonly DayBar[], words: PageWords): string {
  const count = (mark: DayBar['mark']): number => days.filter((day) => day.mark === mark).length;
  const parts = (['up', 'degraded', 'down', 'maintenance', 'unknown'] as const).flatMap((mark) =>
    count(mark) === 0 ? [] : [`${count(mark)} ${words.within[mark]}`],
  );
  return `${words.days(days.length)}, ${parts.join(', ')}`;
}

/** A day in a sentence: `2026-11-20: down 4 min 12 s, unknown 2 h`. */
export const dayWords = (day: DayBar, words: PageWords): string => `${day.name}: ${factsOf(day, words)}`;

export function factsOf({ buckets, maintenanceMs }: DayBar, { within, nothingIsKnown, notCounted }: PageWords): string {
  const { upMs, degradedMs, downMs, unknownMs, excludedMs } = buckets;
  const facts = [
    ...(downMs > 0 ? [`${within.down} ${lengthOf(downMs)}`] : []),
    ...(degradedMs > 0 ? [`${within.degraded} ${lengthOf(degradedMs)}`] : []),
    ...(unknownMs > 0 ? [upMs + degradedMs + downMs + excludedMs === 0 ? nothingIsKnown : `${within.unknown} ${lengthOf(unknownMs)}`] : []),
    ...(maintenanceMs > 0 ? [`${within.maintenance} ${lengthOf(maintenanceMs)}${excludedMs > 0 ? `, ${notCounted}` : ''}`] : []),
  ];
  return facts.length === 0 ? within.up : facts.join(', ');
}

/** To the second, as far as it is over; what is shorter is told as it is. */
const lengthOf = (lengthMs: number): string => lengthInWords(lengthMs < SECOND_MS ? lengthMs : lengthMs - (lengthMs % SECOND_MS));

const PLAIN = wordsIn('en');

/** Whether there is more to say of a day than that it was up. */
export const isTroubled = (day: DayBar): boolean =>
  factsOf(day, PLAIN) !== PLAIN.within.up && !(day.mark === 'unknown' && day.buckets.excludedMs === 0);

/** An uptime with the digits that its evidence supports, the doubtful ones faint; truncated. */
export function uptimeHtml({ uptime, bounds }: Uptime, words: PageWords, after = ''): Html {
  if (uptime === null) return html`<b>${words.nothingKnown}</b>`;
  const { proven, doubtful } = provenDigits(uptime, bounds ?? [uptime, uptime]);
  return html`<b>${words.decimal(proven)}<span class="doubt">${words.decimal(doubtful)}</span>${words.percent}${after}</b>`;
}

export function uptimeText({ uptime, bounds }: Uptime): string {
  if (uptime === null) return 'no data';
  const { proven, doubtful } = provenDigits(uptime, bounds ?? [uptime, uptime]);
  return `${proven}${doubtful}%`;
}
