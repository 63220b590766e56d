import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useSignIn } from '../api/actions.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Brand } from '../shell/shell.tsx';
import { ProviderButtons, SsoNotice } from './provider-buttons.tsx';
import { useTitle } from './use-title.ts';

/** Sign in with name and password. */
export function LoginPage() {
  useTitle('Sign in');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ name, password }, { onSuccess: () => void navigate({ to: '/' }) });
  };
  return (
    <main className="centre">
      <form className="panel card-form" onSubmit={submit}>
        <div className="brand">
          <Brand />
          Nines
        </div>
        <h1>Sign in</h1>
        <SsoNotice />
        <TextInput
          label="Name"
          autoComplete="username"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {signIn.isError ? <RefusedNotice error={signIn.error} /> : null}
        <Button type="submit" loading={signIn.isPending}>
          Sign in
        </Button>
        <ProviderButtons />
        <p className="faint">First start? The one-time link to create the administrator stands on the console of the server.</p>
      </form>
    </main>
  );
}
