/** Instants as text in the reader's language and time zone, 24 hours, day before month. Unix milliseconds in. */
import { type Language, language } from '../language/language.ts';
import { DECIMAL_MARK } from './percent.ts';

const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE', fr: 'fr-FR' };

/** How the language of the page writes dates and orders names. */
export const LOCALE = LOCALES[language];

const clockMinutes = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayShort = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const dayLong = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });

/** The time zone every instant of a page is written in; stated once per page. */
export const timeZone: string = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `02:14` on the day of `nowMs`, else `20 Nov 02:14`. */
export function shortInstant(atMs: number, nowMs: number): string {
  const clock = clockMinutes.format(atMs);
  return dayLong.format(atMs) === dayLong.format(nowMs) ? clock : `${dayShort.format(atMs)} ${clock}`;
}

/** `20 Nov 02:14:07`, with the year when it is not this one. */
export function exactInstant(atMs: number, nowMs: number): string {
  const sameYear = dayLong.format(atMs).slice(-4) === dayLong.format(nowMs).slice(-4);
  return `${(sameYear ? dayShort : dayLong).format(atMs)} ${clockSeconds.format(atMs)}`;
}

/** `20 Nov 02:14:07.250`, for evidence, where the millisecond counts. */
export function preciseInstant(atMs: number): string {
  return `${dayLong.format(atMs)} ${clockSeconds.format(atMs)}${DECIMAL_MARK}${String(Math.floor(atMs) % 1000).padStart(3, '0')}`;
}

/** A label for an axis whose ticks are `stepMs` apart. */
export function tickText(atMs: number, stepMs: number): string {
  if (stepMs >= 86_400_000) return dayShort.format(atMs);
  return stepMs >= 60_000 ? clockMinutes.format(atMs) : clockSeconds.format(atMs);
}
