import { Button, PasswordInput, TextInput } from '@mantine/core';
import { ownPath } from '@nines/base/own-path.ts';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type FactorNeeded, useSignIn } from '../api/actions.ts';
import { usePasskeySignIn } from '../api/factors.ts';
import { hasPasskeys } from '../api/passkey.ts';
import { sessionQuery } from '../api/queries.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { LanguageChoice } from '../language/language-choice.tsx';
import { t } from '../language/t.ts';
import { Brand } from '../shell/shell.tsx';
import { SecondStep } from './login-factor.tsx';
import { ProviderButtons, SsoNotice } from './provider-buttons.tsx';
import { useTitle } from './use-title.ts';

/** To where the person was going, else to where their role begins. */
function useGoOn(): () => void {
  const { history } = useRouter();
  const client = useQueryClient();
  const { next } = useSearch({ from: '/login' });
  return () =>
    void client
      .fetchQuery({ ...sessionQuery(), staleTime: 0 })
      .catch(() => undefined)
      .then((session) => history.push(ownPath(next ?? session?.landing)));
}

/** Sign in with name and password, and a second factor where there is one; or with a passkey alone. */
export function LoginPage() {
  useTitle(t('Sign in'));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [needed, setNeeded] = useState<FactorNeeded>();
  const signIn = useSignIn();
  const goOn = useGoOn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ name, password }, { onSuccess: (answer) => (answer === undefined ? goOn() : setNeeded(answer)) });
  };
  if (needed !== undefined) {
    const begin = () => {
      setNeeded(undefined);
      setPassword('');
    };
    return (
      <main className="centre">
        <div className="panel card-form">
          <div className="brand">
            <Brand />
            Nines
          </div>
          <h1>{t('Sign in')}</h1>
          <SecondStep needed={needed} onSignedIn={goOn} onBack={begin} />
        </div>
      </main>
    );
  }
  return (
    <main className="centre">
      <form className="panel card-form" onSubmit={submit}>
        <div className="brand">
          <Brand />
          Nines
        </div>
        <h1>{t('Sign in')}</h1>
        <SsoNotice />
        <TextInput
          label={t('Name')}
          autoComplete="username"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label={t('Password')}
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {signIn.isError ? <RefusedNotice error={signIn.error} /> : null}
        <Button type="submit" loading={signIn.isPending}>
          {t('Sign in')}
        </Button>
        <PasskeyButton onSignedIn={goOn} />
        <ProviderButtons />
        <p className="faint">{t('First start? The one-time link to create the administrator stands on the console of the server.')}</p>
        <LanguageChoice />
      </form>
    </main>
  );
}

/** For whoever has a passkey that examines them: no name, no password. */
function PasskeyButton({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const signIn = usePasskeySignIn();
  if (!hasPasskeys()) return null;
  return (
    <>
      <Button variant="default" loading={signIn.isPending} onClick={() => signIn.mutate(undefined, { onSuccess: onSignedIn })}>
        {t('Sign in with a passkey')}
      </Button>
      {signIn.isError ? <RefusedNotice error={signIn.error} /> : null}
    </>
  );
}
