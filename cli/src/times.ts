import { parseDuration } from '@nines/base/duration.ts';
import { parseInstant } from '@nines/base/instant.ts';
import { CliFailure, EXIT } from './failure.ts';

/** An instant of the command line: RFC 3339, Unix seconds, `now`, or `now-1h`. In milliseconds. */
export function instantOption(text: string, name: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  if (text.startsWith('now-')) {
    const length = parseDuration(text.slice('now-'.length));
    if (length.ok) return nowMs - length.value;
    throw new CliFailure(EXIT.badInput, `--${name}: ${length.error}`);
  }
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  throw new CliFailure(EXIT.badInput, `--${name}: ${parsed.error}`);
}

export const toSeconds = (atMs: number): string => String(atMs / 1000);
