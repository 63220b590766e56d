import { MultiSelect, NativeSelect, Select, TextInput } from '@mantine/core';
import { ALL, type KnownVariable } from './use-values.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly known: readonly KnownVariable[];
  readonly onChoose: (name: string, values: readonly string[]) => void;
};

/** What can be chosen for all panels at once; the address carries it. */
export function VariablesBar({ known, onChoose }: Props) {
  const shown = known.filter(({ variable }) => !variable.hidden);
  if (shown.length === 0) return null;
  return (
    <div className="row-wrap variables no-print">
      {shown.map((one) => (
        <Choice key={one.variable.name} {...one} onChoose={(values) => onChoose(one.variable.name, values)} />
      ))}
    </div>
  );
}

function Choice({
  variable,
  options,
  chosen,
  pending,
  error,
  onChoose,
}: KnownVariable & { readonly onChoose: (values: readonly string[]) => void }) {
  const label = variable.label === '' ? variable.name : variable.label;
  const [value = ''] = chosen.values;
  if (variable.kind === 'text') {
    return <TextInput size="xs" label={label} value={value} onChange={(event) => onChoose([event.currentTarget.value])} />;
  }
  if (variable.kind === 'interval') {
    return (
      <NativeSelect size="xs" label={label} data={[...options]} value={value} onChange={(event) => onChoose([event.currentTarget.value])} />
    );
  }
  const all = variable.all ? [{ value: ALL, label: t('All') }] : [];
  const data = [...all, ...options.map((option) => ({ value: option, label: option === '' ? t('(empty)') : option }))];
  const shared = {
    size: 'xs',
    label,
    data,
    searchable: true,
    nothingFoundMessage: pending ? t('Reading …') : t('No value'),
    error: error?.message,
  } as const;
  if (!variable.multi) {
    return (
      <Select
        {...shared}
        allowDeselect={false}
        value={chosen.all ? ALL : value}
        onChange={(next) => onChoose(next === null ? [] : [next])}
      />
    );
  }
  return (
    <MultiSelect
      {...shared}
      value={chosen.all ? [ALL] : [...chosen.values]}
      onChange={(next) => {
        // The newest click wins: "All" takes the others away, another takes "All" away.
        const newest = next[next.length - 1];
        onChoose(newest === ALL ? [ALL] : next.filter((one) => one !== ALL));
      }}
    />
  );
}
