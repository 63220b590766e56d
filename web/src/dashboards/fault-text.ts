import { t } from '../language/t.ts';

const MAX_CHARS = 500;

/** What a script threw or said, whatever it is: never `[object Object]`, never empty. */
export function faultText(said: unknown): string {
  const text = typeof said === 'string' ? said.trim() : written(said);
  return text === '' ? t('The widget failed and did not say why.') : text.slice(0, MAX_CHARS);
}

function written(said: unknown): string {
  if (said === undefined || said === null) return '';
  try {
    return JSON.stringify(said) ?? '';
  } catch {
    // What refers to itself, and what is larger than a number: a script may send those.
    return '';
  }
}
