import type { Regex, RegexGroups } from '@nines/base/regex.ts';
import { type Labels, labelPairs, labelsFrom } from './labels.ts';
import { md5 } from './md5.ts';

/**
 * Prometheus' relabelling: rules that look at a label set and change it, or drop it. Used on targets before a scrape and on
 * samples after it. Meaning, order and edge cases follow prometheus/model/relabel.
 */
export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

export type RelabelRule = {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: Regex;
  /** For `hashmod`; 0 otherwise. */
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
};

const utf8 = new TextEncoder();

/** The set after all rules, sorted; `undefined` when a rule drops it. */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | undefined {
  if (rules.length === 0) return labels;
  const map = new Map(labelPairs(labels));
  for (const rule of rules) if (!applyRule(map, rule)) return undefined;
  return labelsFrom(map);
}

/** Changes `map`; false when the set is dropped. */
function applyRule(map: Map<string, string>, rule: RelabelRule): boolean {
  const { regex, targetLabel } = rule;
  const source = rule.sourceLabels.map((name) => map.get(name) ?? '').join(rule.separator);
  switch (rule.action) {
    case 'drop':
      return !regex.matchesWhole(source);
    case 'keep':
      return regex.matchesWhole(source);
    case 'dropequal':
      return (map.get(targetLabel) ?? '') !== source;
    case 'keepequal':
      return (map.get(targetLabel) ?? '') === source;
    case 'replace':
      replace(map, rule, source);
      return true;
    case 'lowercase':
      put(map, targetLabel, source.toLowerCase());
      return true;
    case 'uppercase':
      put(map, targetLabel, source.toUpperCase());
      return true;
    case 'hashmod':
      put(map, targetLabel, String(hashModulo(source, rule.modulus)));
      return true;
    case 'labelmap':
      for (const [name, value] of Array.from(map)) {
        const groups = regex.groups(name);
        if (groups !== undefined) put(map, expandTemplate(rule.replacement, groups), value);
      }
      return true;
    case 'labeldrop':
      for (const name of map.keys()) if (regex.matchesWhole(name)) map.delete(name);
      return true;
    case 'labelkeep':
      for (const name of map.keys()) if (!regex.matchesWhole(name)) map.delete(name);
      return true;
  }
}

function replace(map: Map<string, string>, rule: RelabelRule, source: string): void {
  const groups = rule.regex.groups(source);
  if (groups === undefined) return;
  const target = expandTemplate(rule.targetLabel, groups);
  // A name that the expansion left empty or broken changes nothing, as in Prometheus.
  if (!isLabelName(target)) return;
  put(map, target, expandTemplate(rule.replacement, groups));
}

function put(map: Map<string, string>, name: string, value: string): void {
  if (value === '') map.delete(name);
  else map.set(name, value);
}

const isLabelName = (name: string): boolean => name !== '' && !/[\ud800-\udfff]/u.test(name);

/** The last 8 bytes of the MD5 as a big-endian number, modulo. */
function hashModulo(text: string, modulus: number): bigint {
  const digest = md5(utf8.encode(text));
  let value = 0n;
  for (const byte of digest.subarray(8)) value = (value << 8n) | BigInt(byte);
  return value % BigInt(modulus);
}

/**
 * Go's template expansion: `$1`, `${1}`, `$name`, `${name}`, `$$`. Without braces the name is as long as it can be, so `$1x`
 * is the group called `1x`. Unknown groups are empty.
 */
export function expandTemplate(template: string, groups: RegexGroups): string {
  if (!template.includes('$')) return template;
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$';
    const name = braced ?? bare ?? '';
    return /^\d+$/.test(name) ? (groups.byIndex[Number(name)] ?? '') : (groups.byName.get(name) ?? '');
  });
}
