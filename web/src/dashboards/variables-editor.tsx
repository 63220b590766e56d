import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import type { DashboardSpec, Variable } from '../api/dashboards.ts';
import { t } from '../language/t.ts';
import { useBoard } from './context.ts';
import { namesIn } from '@nines/maths/dashboards/interpolate.ts';
import type { DashboardSearch } from './search.ts';
import { type KnownVariable, useValues } from './use-values.ts';
import { type VariableKind, asKind, newVariable, uniqueName, usesOf, valuesOf } from './variables.ts';

type Props = {
  readonly spec: DashboardSpec;
  readonly chosen: DashboardSearch['vars'];
  readonly onChange: (spec: DashboardSpec) => void;
};

const KIND_WORDS: Readonly<Record<VariableKind, string>> = {
  query: t('The values of a label'),
  list: t('A list'),
  text: t('Free text'),
  interval: t('A length of time'),
};

/** What readers can choose for all panels at once, in words, with what there is to choose now. */
export function VariablesEditor({ spec, chosen, onChange }: Props) {
  const { view } = useBoard();
  const known = useValues(spec.variables, chosen, view);
  const put = (variables: readonly Variable[]) => onChange({ ...spec, variables: [...variables] });
  return (
    <section className="panel panel-editor" aria-label={t('Variables')}>
      <p className="soft small">
        {t('What readers choose above the panels. A query, a title or a link says it as $name; a variable may name those above it.')}
      </p>
      {spec.variables.map((variable, at) => (
        // A name changes while it is typed: the place is what lasts.
        <VariableRow
          key={at}
          {...{ variable, at, spec }}
          known={known[at]}
          onVariable={(next) => put(spec.variables.map((one, place) => (place === at ? next : one)))}
          onMove={(by) => put(swapped(spec.variables, at, by))}
          onRemove={() => put(spec.variables.filter((_one, place) => place !== at))}
        />
      ))}
      <Button size="xs" variant="default" onClick={() => put([...spec.variables, newVariable(spec.variables)])}>
        {t('Add a variable')}
      </Button>
    </section>
  );
}

function swapped(all: readonly Variable[], at: number, by: -1 | 1): readonly Variable[] {
  const next = [...all];
  const [one, other] = [next[at], next[at + by]];
  if (one === undefined || other === undefined) return all;
  next[at] = other;
  next[at + by] = one;
  return next;
}

type RowProps = {
  readonly variable: Variable;
  readonly at: number;
  readonly spec: DashboardSpec;
  readonly known: KnownVariable | undefined;
  readonly onVariable: (variable: Variable) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
};

function VariableRow({ variable, at, spec, known, onVariable, onMove, onRemove }: RowProps) {
  const name = uniqueName(variable.name);
  return (
    <fieldset className="variable-row">
      <legend className="mono">{`$${variable.name}`}</legend>
      <div className="row-wrap">
        <TextInput
          size="xs"
          label={t('Name')}
          value={variable.name}
          error={nameFault(variable.name, spec, at)}
          onChange={(event) => onVariable({ ...variable, name: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label={t('What readers see')}
          placeholder={variable.name}
          value={variable.label}
          onChange={(event) => onVariable({ ...variable, label: event.currentTarget.value })}
        />
        <NativeSelect
          size="xs"
          label={t('Offers')}
          data={Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }))}
          value={variable.kind}
          onChange={(event) => onVariable(asKind(variable, event.currentTarget.value as VariableKind))}
        />
        <Fields variable={variable} onVariable={onVariable} />
      </div>
      <div className="row-wrap">
        <Choices variable={variable} onVariable={onVariable} />
        <button type="button" className="tool" disabled={at === 0} aria-label={t('Move {name} up', { name })} onClick={() => onMove(-1)}>
          ↑
        </button>
        <button
          type="button"
          className="tool"
          disabled={at === spec.variables.length - 1}
          aria-label={t('Move {name} down', { name })}
          onClick={() => onMove(1)}
        >
          ↓
        </button>
        <button type="button" className="tool" aria-label={t('Remove {title}', { title: name })} onClick={onRemove}>
          {t('Remove')}
        </button>
      </div>
      <Preview variable={variable} known={known} uses={usesOf(spec, variable.name)} />
    </fieldset>
  );
}

function nameFault(name: string, { variables }: DashboardSpec, at: number): string | undefined {
  if (!/^[a-zA-Z_]\w{0,62}$/.test(name)) return t('Letters, digits and _, beginning with a letter.');
  return variables.some((one, place) => place < at && one.name === name) ? t('Another variable has this name.') : undefined;
}

type FieldProps = Pick<RowProps, 'variable' | 'onVariable'>;

function Fields({ variable, onVariable }: FieldProps) {
  if (variable.kind === 'query')
    return (
      <>
        <TextInput
          size="xs"
          label={t('Label')}
          placeholder="instance"
          value={variable.label_name}
          onChange={(event) => onVariable({ ...variable, label_name: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          className="mono-input"
          label={t('Of the series (all, when empty)')}
          placeholder={'up{job="$job"}'}
          value={variable.match}
          onChange={(event) => onVariable({ ...variable, match: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          className="mono-input"
          label={t('Only what fits the pattern')}
          placeholder="(.*):9100"
          value={variable.regex}
          onChange={(event) => onVariable({ ...variable, regex: event.currentTarget.value })}
        />
      </>
    );
  if (variable.kind === 'text')
    return (
      <TextInput
        size="xs"
        label={t('At first')}
        value={variable.value}
        onChange={(event) => onVariable({ ...variable, value: event.currentTarget.value })}
      />
    );
  return (
    <TextInput
      key={variable.kind}
      size="xs"
      label={variable.kind === 'interval' ? t('Lengths, separated by commas') : t('Values, separated by commas')}
      defaultValue={variable.values.join(', ')}
      onChange={(event) => {
        const values = valuesOf(event.currentTarget.value);
        if (values.length > 0) onVariable({ ...variable, values: [...values] });
      }}
    />
  );
}

function Choices({ variable, onVariable }: FieldProps) {
  const hidden = (
    <Checkbox
      size="xs"
      label={t('Not shown')}
      checked={variable.hidden}
      onChange={(event) => onVariable({ ...variable, hidden: event.currentTarget.checked })}
    />
  );
  if (variable.kind === 'text' || variable.kind === 'interval') return hidden;
  return (
    <>
      <Checkbox
        size="xs"
        label={t('Several at once')}
        checked={variable.multi}
        onChange={(event) => onVariable({ ...variable, multi: event.currentTarget.checked })}
      />
      <Checkbox
        size="xs"
        label={t('“All” can be chosen')}
        checked={variable.all}
        onChange={(event) => onVariable({ ...variable, all: event.currentTarget.checked })}
      />
      {hidden}
    </>
  );
}

const SHOWN = 8;

type PreviewProps = { readonly variable: Variable; readonly known: KnownVariable | undefined; readonly uses: number };

/** What there is to choose now, what is chosen, and where it is used: what a mistake looks like at once. */
function Preview({ variable, known, uses }: PreviewProps) {
  const used =
    uses === 0
      ? t('No panel says ${name} yet.', { name: variable.name })
      : t('Used in {uses, plural, one {# place} other {# places}}.', { uses });
  const fault = known?.error?.message;
  if (fault !== undefined)
    return (
      <p className="panel-error" role="alert">
        {fault}
      </p>
    );
  const options = known?.options ?? [];
  const missing = variable.kind === 'query' ? namesIn(variable.match).find((name) => name === variable.name) : undefined;
  const found =
    variable.kind === 'text'
      ? ''
      : known?.pending === true
        ? t('Reading …')
        : `${t('{count, plural, one {# value} other {# values}}', { count: options.length })}${options.length === 0 ? '' : ': '}${options.slice(0, SHOWN).join(', ')}${options.length > SHOWN ? ' …' : ''}`;
  return (
    <p className="faint small wrap">
      {missing === undefined ? '' : `${t('It names itself, which stands for nothing.')} `}
      {found === '' ? '' : `${found}. `}
      {used}
    </p>
  );
}
