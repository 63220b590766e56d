import { AppError } from '@nines/base/errors.ts';
import { type Chosen, type Values, interpolate } from '@nines/maths/dashboards/interpolate.ts';
import { compileRegex } from '@nines/base/regex.ts';
import type { DashboardSpec, Variable } from '../model.ts';

/** What stands for a value in an address: every one of them. */
export const ALL = '$__all';
const MOST_VALUES = 1_000;

export type Given = Readonly<Record<string, readonly string[]>>;
/** Values of a label over the series that `match` selects; empty: over all. */
export type LabelValues = (label: string, match: string) => Promise<readonly string[]>;

/**
 * What each variable of a dashboard is: as given, else as the dashboard says, else all where that is allowed, else the first there is.
 * `AppError` `unknown_variable`.
 */
export async function valuesOf(spec: Pick<DashboardSpec, 'variables'>, given: Given, labelValues: LabelValues): Promise<Values> {
  refuseUnknown(spec, given);
  const values = new Map<string, Chosen>();
  for (const variable of spec.variables)
    values.set(
      variable.name,
      await chosen(variable, Object.hasOwn(given, variable.name) ? given[variable.name] : undefined, { values, labelValues }),
    );
  return values;
}

/** `AppError` `unknown_variable` names one that the dashboard does not have. */
export function refuseUnknown({ variables }: Pick<DashboardSpec, 'variables'>, given: Given): void {
  for (const name of Object.keys(given))
    if (!variables.some((one) => one.name === name))
      throw new AppError('bad_input', 'unknown_variable', `the dashboard has no variable "${name}"`, { field: `values.${name}` });
}

type Known = { readonly values: Values; readonly labelValues: LabelValues };

async function chosen(variable: Variable, given: readonly string[] | undefined, known: Known): Promise<Chosen> {
  if (variable.kind === 'text') return { values: [given?.[0] ?? variable.value], all: false, many: false };
  if (variable.kind === 'interval') {
    const value = given?.[0] ?? (variable.value === '' ? (variable.values[0] ?? '') : variable.value);
    return { values: [value], all: false, many: false };
  }
  const many = variable.multi || variable.all;
  const wanted = given ?? variable.value;
  if (variable.all && (wanted.includes(ALL) || wanted.length === 0)) return { values: [], all: true, many };
  if (wanted.length > 0) return { values: variable.multi ? wanted : wanted.slice(0, 1), all: false, many };
  const [first] = variable.kind === 'list' ? variable.values : await found(variable, known);
  return { values: first === undefined ? [] : [first], all: false, many };
}

async function found(variable: Extract<Variable, { kind: 'query' }>, { values, labelValues }: Known): Promise<readonly string[]> {
  const match = interpolate(variable.match, values, { rangeMs: 3_600_000, stepMs: 60_000, writtenEveryMs: 15_000 });
  const all = (await labelValues(variable.label_name, match)).slice(0, MOST_VALUES);
  if (variable.regex === '') return all;
  const pattern = compileRegex(variable.regex.replace(/^\/(.*)\/$/, '$1'));
  return pattern.ok ? all.filter((value) => pattern.value.matchesPart(value)) : all;
}
