import { Button, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useChangePassword } from '../api/actions.ts';
import { NewPassword } from '../components/new-password.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useSession } from '../shell/session.tsx';

/** One's own password. */
export function AccountPassword() {
  const { actor } = useSession();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useChangePassword();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { current, next },
      {
        onSuccess: () => {
          setCurrent('');
          setNext('');
        },
      },
    );
  };
  return (
    <Section title={t('Password')}>
      <form onSubmit={submit}>
        <PasswordInput
          label={t('Present password')}
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          w={240}
        />
        <NewPassword label={t('New password')} value={next} onChange={setNext} name={actor.name} />
        <Button type="submit" variant="default" loading={change.isPending}>
          {t('Change the password')}
        </Button>
      </form>
      {change.isError ? <RefusedNotice error={change.error} /> : null}
      {change.isSuccess ? <p role="status">{t('The password is changed; all other sessions have ended.')}</p> : null}
    </Section>
  );
}
