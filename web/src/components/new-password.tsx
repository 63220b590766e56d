import { PasswordInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import { judgementQuery } from '../api/people.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whose it is: by name, or by a one-time link. */
  readonly name?: string;
  readonly token?: string;
  readonly autoFocus?: boolean;
};

/** A password that is being chosen, with what the server says of it while it is typed. */
export function NewPassword({ label, value, onChange, name, token, autoFocus = false }: Props) {
  const password = useDeferredValue(value);
  const whose = token === undefined ? (name === undefined ? {} : { name: name.slice(0, 100) }) : { token };
  const { data } = useQuery(judgementQuery({ password, ...whose }));
  const said = value === '' || data === undefined ? t('At least 8 characters; 15 or more are better. A few words do.') : words(data);
  return (
    <PasswordInput
      label={label}
      description={<span role="status">{said}</span>}
      autoComplete="new-password"
      required
      autoFocus={autoFocus}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function words({
  acceptable,
  reason,
  advice,
}: {
  readonly acceptable: boolean;
  readonly reason: string | null;
  readonly advice: string | null;
}): string {
  if (!acceptable) return reason === null ? t('Not taken: choose another.') : t('Not taken: {reason}.', { reason });
  return advice === null ? t('Good.') : t('Taken. {advice}', { advice });
}
