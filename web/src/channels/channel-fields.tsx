import { Checkbox, NativeSelect, PasswordInput, TextInput, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ChannelField } from '../api/channels.ts';
import { channelsQuery } from '../api/queries.ts';
import { t } from '../language/t.ts';
import { KEPT, type Values, isNeeded } from './draft.ts';
import { CHOICE_WORDS, GROUP_WORDS, fieldWords, isMore } from './kind-words.ts';

type Props = {
  readonly kind: string;
  readonly id: string;
  readonly fields: readonly ChannelField[];
  readonly values: Values;
  readonly onChange: (path: string, text: string) => void;
};

/** The inputs of a kind: those of its own, then in a fold what most people leave as it is. */
export function ChannelFields({ kind, fields, ...inputs }: Props) {
  const own = fields.filter(({ path, common }) => !common && !isMore(kind, path));
  const more = fields.filter((field) => !own.includes(field));
  const plain = own.filter(({ path }) => groupOf(path) === undefined);
  const groups = Map.groupBy(
    own.filter(({ path }) => groupOf(path) !== undefined),
    ({ path }) => groupOf(path) ?? '',
  );
  const input = (field: ChannelField) => <Input key={field.path} kind={kind} field={field} fields={fields} {...inputs} />;
  return (
    <>
      {[...groups].map(([group, its]) => (
        <fieldset key={group} className="form-group">
          <legend>{GROUP_WORDS[group]}</legend>
          {its.map(input)}
        </fieldset>
      ))}
      {plain.map(input)}
      {more.length === 0 ? null : (
        <details>
          <summary>{t('More settings')}</summary>
          <div className="drawer-body form-fold">{more.map(input)}</div>
        </details>
      )}
    </>
  );
}

const groupOf = (path: string): string | undefined => {
  const [group = ''] = path.split('.');
  return group === path || GROUP_WORDS[group] === undefined ? undefined : group;
};

type InputProps = Omit<Props, 'onChange'> & { readonly field: ChannelField; readonly onChange: Props['onChange'] };

function Input({ kind, id, field, fields, values, onChange }: InputProps) {
  const { path, type, choices } = field;
  const value = values[path] ?? '';
  const { label, help, example } = fieldWords(kind, path) ?? { label: path };
  const set = (text: string): void => onChange(path, text);
  const about = {
    label,
    ...(help === undefined ? {} : { description: help }),
    placeholder: field.default === null ? (example ?? '') : String(field.default),
    required: isNeeded(field, fields, values),
    value,
  };
  if (path === 'failover') return <Failover id={id} value={value} label={label} help={help} onChange={set} />;
  if (type === 'switch') {
    const on = value === '' ? field.default === true : value === 'true';
    return <Checkbox label={label} checked={on} onChange={(event) => set(String(event.currentTarget.checked))} />;
  }
  if (type === 'choice') {
    const data = choices.map((choice) => ({ value: choice, label: CHOICE_WORDS[choice] ?? choice }));
    return (
      <NativeSelect
        label={label}
        data={data}
        value={value || String(field.default ?? '')}
        onChange={(event) => set(event.currentTarget.value)}
      />
    );
  }
  if (type === 'secret') return <SecretInput about={about} onChange={set} />;
  if (type === 'list' || type === 'pairs' || type === 'lines')
    return (
      <Textarea {...about} autosize minRows={type === 'lines' ? 3 : 1} maxRows={8} onChange={(event) => set(event.currentTarget.value)} />
    );
  return <TextInput {...about} inputMode={type === 'number' ? 'numeric' : 'text'} onChange={(event) => set(event.currentTarget.value)} />;
}

type About = {
  readonly label: string;
  readonly description?: string;
  readonly placeholder: string;
  readonly required: boolean;
  readonly value: string;
};

/** A secret that is set is never read back: it stays, or is written anew. */
function SecretInput({ about, onChange }: { readonly about: About; readonly onChange: (text: string) => void }) {
  const { value, ...rest } = about;
  if (value !== KEPT)
    return <PasswordInput {...rest} autoComplete="new-password" value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
  return (
    <div>
      <span className="form-label">{about.label}</span>
      <span className="row-wrap">
        <span>{t('It is set, and shown to nobody.')}</span>
        <button
          type="button"
          className="plain-button"
          aria-label={t('Write anew: {field}', { field: about.label })}
          onClick={() => onChange('')}
        >
          {t('Write anew')}
        </button>
      </span>
    </div>
  );
}

function Failover({
  id,
  value,
  label,
  help,
  onChange,
}: {
  readonly id: string;
  readonly value: string;
  readonly label: string;
  readonly help: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const others = (useQuery(channelsQuery()).data?.items ?? [])
    .filter((one) => one.id !== id)
    .map((one) => ({ value: one.id, label: one.id }));
  return (
    <NativeSelect
      label={label}
      {...(help === undefined ? {} : { description: help })}
      data={[{ value: '', label: t('No other channel') }, ...others]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
