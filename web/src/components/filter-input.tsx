import { TextInput } from '@mantine/core';

type Props = { readonly value: string; readonly onChange: (value: string) => void; readonly what: string };

/** The one filter of a list; `/` puts the cursor here. */
export function FilterInput({ value, onChange, what }: Props) {
  return (
    <TextInput
      data-filter=""
      size="xs"
      type="search"
      aria-label={`Filter ${what}`}
      placeholder={`Filter ${what} ( / )`}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      className="filter-input"
    />
  );
}
