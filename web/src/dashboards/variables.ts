/** What editing does to variables. Pure. */
import type { DashboardSpec, Variable } from '../api/dashboards.ts';
import { namesIn } from '@nines/maths/dashboards/interpolate.ts';

export type VariableKind = Variable['kind'];

/** Under a name that none of them has. */
export function newVariable(known: readonly Variable[]): Extract<Variable, { kind: 'query' }> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'instance' : `instance${number}`;
    if (known.some((one) => one.name === name)) continue;
    return {
      kind: 'query',
      name,
      label: '',
      hidden: false,
      multi: false,
      all: true,
      value: [],
      label_name: 'instance',
      match: '',
      regex: '',
    };
  }
}

/** Another kind of variable under the same name, with what both have. */
export function asKind(variable: Variable, kind: VariableKind): Variable {
  if (kind === variable.kind) return variable;
  const { name, label, hidden } = variable;
  const shared = { name, label, hidden };
  const choice =
    'multi' in variable ? { multi: variable.multi, all: variable.all, value: variable.value } : { multi: false, all: false, value: [] };
  switch (kind) {
    case 'query':
      return { kind, ...shared, ...choice, label_name: name, match: '', regex: '' };
    case 'list':
      return { kind, ...shared, ...choice, value: [], values: ['production', 'staging'] };
    case 'text':
      return { kind, ...shared, value: '' };
    case 'interval':
      return { kind, ...shared, values: ['1m', '5m', '1h'], value: '' };
  }
}

/** `a, b` as two values; each once, nothing empty. */
export const valuesOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  ),
];

export const uniqueName = (name: string): string => (name === '' ? '?' : `$${name}`);

/** In how many texts of a dashboard a variable stands: queries, titles, links, other variables. */
export function usesOf(spec: DashboardSpec, name: string): number {
  const texts = [
    ...Object.values(spec.panels).flatMap((panel) => [
      panel.title,
      ...panel.links.map(({ url }) => url),
      ...(panel.kind === 'text' ? [panel.markdown] : panel.source.from === 'promql' ? panel.source.queries.map(({ expr }) => expr) : []),
    ]),
    ...spec.variables.flatMap((one) => (one.kind === 'query' && one.name !== name ? [one.match] : [])),
    ...spec.annotations.flatMap((one) => (one.from === 'promql' ? [one.expr] : [])),
  ];
  return texts.filter((text) => namesIn(text).includes(name)).length;
}
