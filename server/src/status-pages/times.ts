import { wallClockMs } from '@nines/maths/calendar/zone.ts';
import { type Html, html } from '../platform/html.ts';

/** Instants as a page's readers see them: the wall clock of its zone, which the page names once. */
export type Times = { readonly zone: string; text(atMs: number): string; html(atMs: number): Html };

/** To the minute: `2026-11-21 19:20`. */
export function timesIn(zone: string): Times {
  const text = (atMs: number): string => new Date(wallClockMs(atMs, zone)).toISOString().slice(0, 16).replace('T', ' ');
  return { zone, text, html: (atMs) => html`<time datetime="${new Date(atMs).toISOString()}">${text(atMs)}</time>` };
}
