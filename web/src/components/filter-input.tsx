import { TextInput } from '@mantine/core';
import { t } from '../language/t.ts';

type Props = { readonly value: string; readonly onChange: (value: string) => void; readonly what: string };

/** The one filter of a list; `/` puts the cursor here. */
export function FilterInput({ value, onChange, what }: Props) {
  return (
    <TextInput
      data-filter=""
      size="xs"
      type="search"
      aria-label={t('Filter {what}', { what })}
      placeholder={t('Filter {what} ( / )', { what })}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      className="filter-input"
    />
  );
}
