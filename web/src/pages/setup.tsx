import { Button, TextInput } from '@mantine/core';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useSetUp } from '../api/actions.ts';
import { ApiProblem } from '../api/problem.ts';
import { NewPassword } from '../components/new-password.tsx';
import { EmptyState, RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { Brand } from '../shell/shell.tsx';
import { useTitle } from './use-title.ts';

/** The first start: one-time link, name, password; nothing else. The token never leaves the fragment but for this request. */
export function SetupPage() {
  useTitle(t('Create the administrator'));
  const { hash } = useLocation();
  const [token] = useState(() => new URLSearchParams(hash).get('token') ?? '');
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  const setUp = useSetUp();
  const used = setUp.error instanceof ApiProblem && setUp.error.code === 'setup_link_used';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setUp.mutate({ token, name, password }, { onSuccess: () => void navigate({ to: '/', hash: '' }) });
  };
  return (
    <main className="centre">
      <form className="panel card-form" onSubmit={submit}>
        <div className="brand">
          <Brand />
          Nines
        </div>
        <h1>{t('Create the administrator')}</h1>
        {token === '' ? (
          <EmptyState command="npm start">
            {t('This link is not whole. Start Nines again: it prints a new one-time link on the console.')}
          </EmptyState>
        ) : (
          <>
            <TextInput
              label={t('Name')}
              autoComplete="username"
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <NewPassword label={t('Password')} value={password} onChange={setPassword} name={name} autoFocus />
            {setUp.isError ? <RefusedNotice error={setUp.error} /> : null}
            {used ? <Link to="/login">{t('Sign in')}</Link> : null}
            <Button type="submit" loading={setUp.isPending}>
              {t('Create and sign in')}
            </Button>
          </>
        )}
      </form>
    </main>
  );
}
