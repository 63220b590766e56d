import { type Result, err, ok } from '@nines/base/result.ts';
import { t } from '../language/t.ts';

const PAIR = /^([^\s=,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))(?:[\s,]+|$)/;

/** Labels as people type them: `alertname=High service="web shop"`, with spaces or commas between. */
export function labelsOfText(text: string): Result<Readonly<Record<string, string>>, string> {
  const labels: [string, string][] = [];
  let rest = text.trim().replace(/^\{/, '').replace(/\}$/, '').trim();
  while (rest !== '') {
    const found = PAIR.exec(rest);
    if (found === null) return err(t('"{text}" is no label: write name=value', { text: rest.split(/\s/)[0] ?? '' }));
    const [whole, name = '', quoted, plain] = found;
    labels.push([name, quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')]);
    rest = rest.slice(whole.length);
  }
  return ok(Object.fromEntries(labels));
}

/** The same labels as text. */
export const textOfLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => (/^[\w.:/-]+$/.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`))
    .join(' ');
