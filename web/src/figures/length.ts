import { t } from '../language/t.ts';

/**
 * Lengths of time in words: `4 min 12 s`. At most two units, the smaller one truncated: a length is never made longer
 * than it was. Milliseconds in, text out.
 */
const UNITS = [
  { word: t('d||day'), sizeMs: 86_400_000 },
  { word: 'h', sizeMs: 3_600_000 },
  { word: 'min', sizeMs: 60_000 },
  { word: 's', sizeMs: 1_000 },
  { word: 'ms', sizeMs: 1 },
] as const;

/** A figure and its unit never part at the end of a line. */
const NBSP = '\u00a0';

/** `252_000` → `4 min 12 s`; negative lengths carry a minus sign; below one millisecond `0 s`. */
export function lengthText(lengthMs: number): string {
  if (lengthMs < 0) return `−${lengthText(-lengthMs)}`;
  const at = UNITS.findIndex((unit) => lengthMs >= unit.sizeMs);
  const unit = UNITS[at];
  if (unit === undefined) return `0${NBSP}s`;
  const amount = Math.floor(lengthMs / unit.sizeMs);
  const next = UNITS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((lengthMs - amount * unit.sizeMs) / next.sizeMs);
  const head = `${amount}${NBSP}${unit.word}`;
  // From ten seconds on, milliseconds are noise for a reader; below, they matter.
  const showRest = next !== undefined && rest > 0 && !(unit.word === 's' && amount >= 10);
  return showRest ? `${head} ${rest}${NBSP}${next.word}` : head;
}

/** The length of a window as contracts write it: up to two days in hours, `24 h`; beyond as `lengthText`. */
export function windowText(lengthMs: number): string {
  const hours = lengthMs / 3_600_000;
  return Number.isInteger(hours) && hours > 0 && hours <= 48 ? `${hours}${NBSP}h` : lengthText(lengthMs);
}

/** One unit only, for narrow places and for relative times: `6 min`. */
export function shortLengthText(lengthMs: number): string {
  const unit = UNITS.find((candidate) => Math.abs(lengthMs) >= candidate.sizeMs);
  if (unit === undefined) return `0${NBSP}s`;
  return `${Math.floor(Math.abs(lengthMs) / unit.sizeMs)}${NBSP}${unit.word}`;
}

/** `6 min ago`, `in 2 h`, `now` within a second. */
export function relativeText(atMs: number, nowMs: number): string {
  const deltaMs = nowMs - atMs;
  if (Math.abs(deltaMs) < 1_000) return t('now');
  const length = shortLengthText(Math.abs(deltaMs));
  return deltaMs > 0 ? t('{length} ago', { length }) : t('in {length}', { length });
}
