/** `templating.list` as variables of ours. Those that choose a data source have no place: everything is asked of our own store. Pure. */
import { parseDuration } from '@nines/base/duration.ts';
import { MAX_EXPR_CHARS, MAX_VARIABLES, type Variable, variableSpec } from '../model.ts';
import type { Context } from './context.ts';
import { type Fields, isTrueAt, numberAt, textAt, textsAt, valueAt } from './fields.ts';

type Lose = (what: string, why: string) => void;
type Shared = { readonly name: string; readonly label: string; readonly hidden: boolean };
type Choice = { readonly multi: boolean; readonly all: boolean; readonly value: string[] };

const ALL = '$__all';
const MAX_CHARS = 200;
/** Of a list of values; what asks for them is far shorter. */
const MAX_QUERY_CHARS = 100_000;
const MAX_READ = 100;

export function readVariables(written: readonly Fields[], context: Context): readonly Variable[] {
  const found: Variable[] = [];
  if (written.length > MAX_READ)
    context.losses.add('', `${written.length - MAX_READ} further variables`, `a dashboard has at most ${MAX_VARIABLES}`);
  for (const one of written.slice(0, MAX_READ)) {
    const name = textAt(one, 'name');
    const what = `the variable ${name === '' ? 'without a name' : name}`;
    const lose: Lose = (more, why) => context.losses.add('', more === '' ? what : `${what}: ${more}`, why);
    if (found.length >= MAX_VARIABLES) {
      lose('', `a dashboard has at most ${MAX_VARIABLES} variables`);
      continue;
    }
    const read = oneOf(one, context, lose);
    if (read === undefined) continue;
    const judged = variableSpec.safeParse(read);
    if (!judged.success) lose('', judged.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
    else if (found.some((known) => known.name === name)) lose('', 'there is one of that name already');
    else found.push(judged.data);
  }
  return found;
}

function oneOf(one: Fields, context: Context, lose: Lose): unknown {
  const hide = numberAt(one, 'hide') ?? 0;
  const shared: Shared = { name: textAt(one, 'name'), label: textAt(one, 'label').slice(0, MAX_CHARS), hidden: hide === 2 };
  const query = context.fill(queryText(one).slice(0, MAX_QUERY_CHARS));
  switch (textAt(one, 'type')) {
    case 'query':
      return queryVariable(one, query, { shared, context, lose });
    case 'custom':
      return listVariable(one, query, shared, lose);
    case 'interval':
      return intervalVariable(one, query, shared, lose);
    case 'textbox':
      return { kind: 'text', ...shared, value: (textsAt(one, 'current', 'value')[0] ?? query).slice(0, MAX_CHARS) };
    case 'constant':
      return { kind: 'text', ...shared, hidden: true, value: (query || (textsAt(one, 'current', 'value')[0] ?? '')).slice(0, MAX_CHARS) };
    case 'datasource': {
      const asked = context.asks({ type: query === '' ? 'prometheus' : query });
      if (typeof asked === 'object') lose('', `it chooses among sources of kind ${query}, which are not asked here`);
      return undefined;
    }
    case 'switch': {
      const values = [textAt(one, 'enabledValue') || 'true', textAt(one, 'disabledValue') || 'false'];
      return { kind: 'list', ...shared, values, value: textsAt(one, 'current').slice(0, 1) };
    }
    case 'adhoc':
      lose('', 'filters over everything are not known here: write a variable and use it in the queries');
      return undefined;
    default:
      lose('', `its kind ${textAt(one, 'type') || '(none)'} is not known here`);
      return undefined;
  }
}

/** Written as a text, or as what the query editor keeps. */
function queryText(one: Fields): string {
  const text = textAt(one, 'query') || textAt(one, 'query', 'query') || textAt(one, 'definition');
  if (text !== '') return text;
  const [label, metric] = [textAt(one, 'query', 'label'), textAt(one, 'query', 'metric')];
  if (label === '') return '';
  return metric === '' ? `label_values(${label})` : `label_values(${metric}, ${label})`;
}

function chosen(one: Fields, lose: Lose): Choice {
  const [multi, all] = [isTrueAt(one, 'multi'), isTrueAt(one, 'includeAll')];
  const allValue = textAt(one, 'allValue');
  if (all && allValue !== '' && allValue !== '.*') lose(`what "All" stands for (${allValue})`, 'it stands for every value there is, as .*');
  const value = textsAt(one, 'current', 'value')
    .filter((text) => text !== ALL && text !== '' && text.length <= MAX_CHARS)
    .slice(0, multi ? 1_000 : 1);
  return { multi, all, value: [...value] };
}

type Reading = { readonly shared: Shared; readonly context: Context; readonly lose: Lose };

function queryVariable(one: Fields, written: string, { shared, context, lose }: Reading): unknown {
  const asked = context.asks(valueAt(one, 'datasource'));
  if (typeof asked === 'object') {
    lose('', `it asks ${asked.foreign}, not a store of metrics that speaks PromQL`);
    return undefined;
  }
  // One space is as good as many, and takes patterns no time.
  const query = written.slice(0, MAX_EXPR_CHARS).replace(/\s+/g, ' ');
  const choice = chosen(one, lose);
  const base = { kind: 'query', ...shared, ...choice };
  const regex = patternOf(textAt(one, 'regex'), lose);
  if ((numberAt(one, 'sort') ?? 0) > 1) lose('the order of its values', 'values stand in the order of the alphabet');
  const values = /^\s*label_values\(\s*(?:([\s\S]+),)?\s*([a-zA-Z_][\w.]*|\$\{?\w+\}?)\s*\)\s*$/.exec(query);
  if (values !== null) return { ...base, label_name: values[2], match: (values[1] ?? '').trim(), regex };
  const metrics = /^\s*metrics\(\s*([\s\S]*?)\s*\)\s*$/.exec(query)?.[1];
  if (metrics !== undefined) {
    const match = `{__name__=~${JSON.stringify(metrics === '' ? '.+' : `.*(?:${metrics}).*`)}}`;
    return { ...base, label_name: '__name__', match, regex };
  }
  const result = /^\s*query_result\(([\s\S]*)\)\s*$/.exec(query)?.[1];
  if (result !== undefined) return resultVariable(result, { base, regex: textAt(one, 'regex'), lose });
  lose('', query.trim() === '' ? 'it asks nothing' : `its query is not known here: ${query.slice(0, 100)}`);
  return undefined;
}

/** `/(.*):.*$/` without its bars; what a flag or a name of a group means is not known here. */
function patternOf(written: string, lose: Lose): string {
  const [, body, flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(written) ?? [];
  if (flags.replace('g', '') !== '') lose(`the flags "${flags}" of its pattern`, 'patterns tell capital letters from small ones');
  if (/\(\?<(?:text|value)>/.test(written)) lose('the names of groups in its pattern', 'the first group is what is chosen and shown');
  return (body ?? written).slice(0, 500);
}

type Result = { readonly base: object; readonly regex: string; readonly lose: Lose };

/**
 * `query_result(EXPR)` prints series as text and cuts a value out: where the pattern names a label, its values over the series that the
 * expression begins with are the same or more.
 */
function resultVariable(expr: string, { base, regex, lose }: Result): unknown {
  const label = /(?<!\w)([a-zA-Z_]\w*)\s?=~?\s?\\?"/.exec(regex.slice(0, 1_000))?.[1];
  const selector = /(?<![\w:])[a-zA-Z_:][\w:]* ?\{[^{}]*\}/.exec(expr)?.[0] ?? innermostName(expr);
  if (label === undefined || selector === undefined) {
    lose('', 'the values of a calculation cannot be chosen from, only those of a label');
    return undefined;
  }
  if (selector.trim() !== expr.trim())
    lose('its calculation', `it offers the label ${label} of all series that ${selector.slice(0, 100)} selects`);
  return { ...base, label_name: label, match: selector, regex: '' };
}

const WORDS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool', 'offset', 'and', 'or', 'unless']);

/** A name that nothing is called with: a metric without matchers. */
function innermostName(expr: string): string | undefined {
  const bare = expr.replace(/(?:by|without|on|ignoring)\s*\([^()]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*(?![\w:])(?! ?\()/g)].map(([name]) => name).find((name) => !WORDS.has(name));
}

/** `a,b\,c,Text : value`. */
function listVariable(one: Fields, query: string, shared: Shared, lose: Lose): unknown {
  const parts = query
    .split(/(?<!\\),/)
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter((part) => part !== '');
  const values = parts.map((part) => / : (.*)$/s.exec(part)?.[1]?.trim() ?? part);
  if (values.some((value, at) => value !== parts[at])) lose('other texts for its values', 'a value is shown as it is');
  if (values.length === 0) {
    lose('', 'it offers nothing to choose');
    return undefined;
  }
  return { kind: 'list', ...shared, ...chosen(one, lose), values: [...new Set(values)] };
}

function intervalVariable(one: Fields, query: string, shared: Shared, lose: Lose): unknown {
  const parts = query
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const values = parts.filter((part) => parseDuration(part).ok);
  const strange = parts.filter((part) => !values.includes(part) && part !== 'auto');
  if (strange.length > 0) lose(`the lengths ${strange.join(', ')}`, 'a length is written as 30s, 5m or 1h');
  if (isTrueAt(one, 'auto') || parts.includes('auto')) lose('the choice "auto"', 'use $__interval in the queries');
  if (values.length === 0) {
    lose('', 'it offers no length of time');
    return undefined;
  }
  const [current = ''] = textsAt(one, 'current', 'value');
  return { kind: 'interval', ...shared, values, value: values.includes(current) ? current : '' };
}
