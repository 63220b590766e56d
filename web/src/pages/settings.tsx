import { Button, PasswordInput, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useChangePassword, useSignOut } from '../api/actions.ts';
import { NewPassword } from '../components/new-password.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { useCan, useSession } from '../shell/session.tsx';
import { AccountFactors } from './account-factors.tsx';
import { AccountIdentities } from './account-identities.tsx';
import { Cardinality } from './cardinality.tsx';
import { Channels } from './channels.tsx';
import { Tokens } from './tokens.tsx';
import { useTitle } from './use-title.ts';

/** What a person sets for themselves, and the tokens of the installation. */
export function SettingsPage() {
  useTitle('Settings');
  const { actor } = useSession();
  const mayAdminister = useCan('administer', 'access');
  return (
    <div className="page settings">
      <header className="page-head">
        <div>
          <h1>Settings</h1>
          <p className="page-lead">{`Signed in as ${actor.name === '' ? actor.id : actor.name}, ${actor.role}.`}</p>
        </div>
        {actor.kind === 'user' ? <SignOut /> : null}
      </header>
      {actor.kind === 'user' || mayAdminister ? (
        <p className="row-wrap">
          {actor.kind === 'user' ? <Link to="/settings/account">Your account and sessions</Link> : null}
          {mayAdminister ? <Link to="/settings/people">People</Link> : null}
          {mayAdminister ? <Link to="/settings/roles">Roles</Link> : null}
        </p>
      ) : null}
      <Appearance />
      {actor.kind === 'user' ? <Password /> : null}
      {actor.kind === 'user' ? <AccountFactors /> : null}
      {actor.kind === 'user' ? <AccountIdentities /> : null}
      <Channels />
      <Cardinality />
      {mayAdminister ? <Administration /> : null}
      {mayAdminister ? <Tokens /> : null}
    </div>
  );
}

function Administration() {
  return (
    <Section title="Administration">
      <p>
        <Link to="/settings/audit">Audit log</Link>
        {': who did what, and whether that is still what was written.'}
      </p>
      <p>
        <Link to="/settings/configuration">Configuration</Link>
        {': what was applied, what changed, and the way back.'}
      </p>
    </Section>
  );
}

/** The way out where the side with its own is not shown. */
function SignOut() {
  const signOut = useSignOut();
  return (
    <div className="narrow-only">
      <Button variant="default" onClick={() => signOut.mutate()}>
        Sign out
      </Button>
    </div>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title="Appearance">
      <div>
        <SegmentedControl
          aria-label="Theme"
          data={[
            { value: 'auto', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as 'auto' | 'light' | 'dark')}
        />
      </div>
      <p className="faint">
        For a wall screen, add <code>?kiosk=1</code> to the address of any page.
      </p>
    </Section>
  );
}

/** One's own password. */
export function Password() {
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
    <Section title="Password">
      <form onSubmit={submit}>
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          w={240}
        />
        <NewPassword label="New password" value={next} onChange={setNext} name={actor.name} />
        <Button type="submit" variant="default" loading={change.isPending}>
          Change the password
        </Button>
      </form>
      {change.isError ? <RefusedNotice error={change.error} /> : null}
      {change.isSuccess ? <p role="status">The password is changed; all other sessions have ended.</p> : null}
    </Section>
  );
}
