import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { FactorNeeded } from '../api/actions.ts';
import { linkQuery, useJoin } from '../api/people.ts';
import { NewPassword } from '../components/new-password.tsx';
import { EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { Brand } from '../shell/shell.tsx';
import { SecondStep } from './login-factor.tsx';
import { useTitle } from './use-title.ts';

/** A one-time link: a password is chosen with it. The token never leaves the fragment but in the bodies of these requests. */
export function JoinPage() {
  useTitle(t('Choose a password'));
  const { hash } = useLocation();
  const [token] = useState(() => new URLSearchParams(hash).get('token') ?? '');
  return (
    <main className="centre">
      <div className="panel card-form">
        <div className="brand">
          <Brand />
          Nines
        </div>
        {token === '' ? <NotWhole /> : <Choose token={token} />}
      </div>
    </main>
  );
}

function NotWhole() {
  return (
    <>
      <h1>{t('Choose a password')}</h1>
      <EmptyState>{t('This link is not whole. Open it exactly as you were given it.')}</EmptyState>
      <Link to="/login">{t('Sign in')}</Link>
    </>
  );
}

function Choose({ token }: { readonly token: string }) {
  const [password, setPassword] = useState('');
  const [needed, setNeeded] = useState<FactorNeeded>();
  const navigate = useNavigate();
  const link = useQuery(linkQuery(token));
  const join = useJoin();
  const goOn = () => void navigate({ to: '/', hash: '' });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    join.mutate({ token, password }, { onSuccess: (answer) => (answer === undefined ? goOn() : setNeeded(answer)) });
  };
  if (needed !== undefined) return <SecondStep needed={needed} onSignedIn={goOn} onBack={() => void navigate({ to: '/login' })} />;
  if (link.data === undefined) {
    return (
      <>
        <h1>{t('Choose a password')}</h1>
        {link.error === null ? <Waiting query={link} what={t('the link')} /> : <RefusedNotice error={link.error} />}
        <Link to="/login">{t('Sign in')}</Link>
      </>
    );
  }
  return (
    <form className="card-form" onSubmit={submit}>
      <h1>
        {link.data.kind === 'invitation'
          ? t('Welcome, {name}', { name: link.data.name })
          : t('A new password for {name}', { name: link.data.name })}
      </h1>
      <input type="text" autoComplete="username" value={link.data.name} readOnly hidden />
      <NewPassword label={t('Password')} value={password} onChange={setPassword} token={token} autoFocus />
      {join.isError ? <RefusedNotice error={join.error} /> : null}
      <Button type="submit" loading={join.isPending}>
        {t('Set the password and sign in')}
      </Button>
    </form>
  );
}
