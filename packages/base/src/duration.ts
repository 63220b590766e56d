import { type Result, err, ok } from './result.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type Ms, SECOND_MS, ms } from './units.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365 * DAY_MS,
};
const ORDER = ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const;

/**
 * Prometheus' duration syntax: `1h30m`, `500ms`, `0`. Each unit at most once, in falling order; a year is 365 days.
 * Source: prometheus/common model.ParseDuration.
 */
export function parseDuration(text: string): Result<Ms, string> {
  if (text === '0') return ok(ms(0));
  const hint = `not a duration: "${text}" (write for example 30s, 5m, 1h30m, 7d)`;
  let at = 0;
  let last = -1;
  let total = 0;
  while (at < text.length) {
    const from = at;
    while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
    if (at === from) return err(hint);
    const amount = Number(text.slice(from, at));
    const unit = text.startsWith('ms', at) ? 'ms' : text.charAt(at);
    const place = ORDER.indexOf(unit as (typeof ORDER)[number]);
    if (place <= last) return err(hint);
    total += amount * (UNIT_MS[unit] ?? Number.NaN);
    last = place;
    at += unit.length;
  }
  if (last < 0 || !Number.isSafeInteger(total)) return err(hint);
  return ok(ms(total));
}

/** The shortest text that `parseDuration` reads back to the same length; `0s` for zero. Negative lengths carry a leading minus. */
export function formatDuration(lengthMs: number): string {
  if (lengthMs === 0) return '0s';
  if (lengthMs < 0) return `-${formatDuration(-lengthMs)}`;
  let rest = lengthMs;
  let text = '';
  for (const unit of ORDER) {
    const size = UNIT_MS[unit] ?? 1;
    // As Prometheus prints: years and weeks only when they divide the whole.
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue;
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text;
}
