import { t } from '../language/t.ts';

const PAIR = /([a-zA-Z_][\w]*)="((?:[^"\\]|\\.)*)"/g;

/** The labels of a group in words: `HighCpu · service shop`, from its key (`{}:{alertname="HighCpu", service="shop"}`); a thread that is no group as it is. */
export function groupWords(groupKey: string): string {
  const labels = /:\{(.*)\}$/s.exec(groupKey)?.[1];
  if (labels === undefined) return groupKey;
  const pairs = [...labels.matchAll(PAIR)].map(([, name = '', value = '']) => ({ name, value: value.replaceAll(/\\(.)/g, '$1') }));
  const words = [
    ...pairs.filter(({ name }) => name === 'alertname').map(({ value }) => value),
    ...pairs.filter(({ name }) => name !== 'alertname').map(({ name, value }) => `${name} ${value}`),
  ];
  return words.length === 0 ? t('all alerts') : words.join(' · ');
}
