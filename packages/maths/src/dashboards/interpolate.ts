/**
 * What a query becomes when variables and lengths of time are put in: `$name`, `${name}`, `${name:regex|pipe|csv|raw|text}` and
 * `$__range`, `$__interval`, `$__rate_interval`. Pure.
 */
import { formatDuration } from '@nines/base/duration.ts';

export type Chosen = {
  readonly values: readonly string[];
  /** Stands for every value there is. */
  readonly all: boolean;
  /** Written as an expression that matches any of the values. */
  readonly many: boolean;
};
export type Values = ReadonlyMap<string, Chosen>;
export type Lengths = { readonly rangeMs: number; readonly stepMs: number; readonly writtenEveryMs: number };

const NAME = /\$(?:\{([a-zA-Z_]\w*)(?::([a-z]+))?\}|([a-zA-Z_]\w*))/g;

/** A rate needs two samples: four intervals of what is written, and one step more, as Grafana does. */
const rateMs = ({ stepMs, writtenEveryMs }: Lengths): number => Math.max(4 * writtenEveryMs, stepMs + writtenEveryMs);

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
/** Inside a quoted string of PromQL. */
const quoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `text` as it is sent. A name that nobody declared stays as written. */
export function interpolate(text: string, values: Values, lengths: Lengths): string {
  return text.replace(NAME, (whole: string, braced?: string, format?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const length = lengthOf(name, lengths);
    if (length !== undefined) return length;
    const chosen = values.get(name);
    return chosen === undefined ? whole : written(chosen, format);
  });
}

function lengthOf(name: string, lengths: Lengths): string | undefined {
  if (name === '__range') return formatDuration(lengths.rangeMs);
  if (name === '__range_s') return String(Math.round(lengths.rangeMs / 1000));
  if (name === '__range_ms') return String(lengths.rangeMs);
  if (name === '__interval') return formatDuration(lengths.stepMs);
  if (name === '__interval_ms') return String(lengths.stepMs);
  return name === '__rate_interval' ? formatDuration(rateMs(lengths)) : undefined;
}

function written({ values, all, many }: Chosen, format: string | undefined): string {
  if (format === 'raw' || format === 'text') return all ? 'all' : values.join(format === 'raw' ? ',' : ' + ');
  if (format === 'csv') return values.join(',');
  if (format === 'pipe') return all ? '.*' : values.join('|');
  if (all) return '.*';
  if (format === 'regex' || many) {
    const parts = values.map((value) => quoted(escapeRegex(value)));
    return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join('|')})`;
  }
  return values.map(quoted).join('|');
}

/** What a series is called: the legend with its labels put in, or the labels in which it differs from the others. */
export function legendOf(legend: string | undefined, labels: Readonly<Record<string, string>>, differing: readonly string[]): string {
  if (legend !== undefined && legend !== '')
    return legend.replace(
      /\{\{\s*([^{}\s]+)\s*\}\}/g,
      (_whole, name: string) => (Object.hasOwn(labels, name) ? labels[name] : undefined) ?? '',
    );
  const parts = differing.flatMap((name) =>
    labels[name] === undefined ? [] : [name === '__name__' ? labels[name] : `${name}=${labels[name]}`],
  );
  return parts.length > 0 ? parts.join(' ') : (labels['__name__'] ?? Object.values(labels).join(' '));
}

/** The names of variables that a text speaks of. */
export const namesIn = (text: string): readonly string[] => [...text.matchAll(NAME)].map(([, braced, , bare]) => braced ?? bare ?? '');
