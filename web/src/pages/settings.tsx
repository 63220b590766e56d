import { Button, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useSignOut } from '../api/actions.ts';
import { mayIn } from '../api/permits.ts';
import type { AreaName, PermissionName } from '../api/wire.ts';
import { Section } from '../components/section.tsx';
import { LanguageChoice } from '../language/language-choice.tsx';
import { rich, t } from '../language/t.ts';
import { useSession } from '../shell/session.tsx';
import { type Density, density, setDensity } from '../theme.ts';
import { BeginsAt } from './begins-at.tsx';
import { SupportBundle } from './support-bundle.tsx';
import { useTitle } from './use-title.ts';

export type SettingsEntry = {
  readonly to:
    | '/settings/account'
    | '/settings/people'
    | '/settings/roles'
    | '/settings/tokens'
    | '/settings/channels'
    | '/settings/series'
    | '/settings/widgets'
    | '/settings/configuration'
    | '/settings/audit'
    | '/api/docs';
  readonly word: string;
  readonly about: string;
  /** Who may do this sees the page; absent: everybody who signed in. */
  readonly needs?: readonly [PermissionName, AreaName];
};

export const SETTINGS: readonly SettingsEntry[] = [
  { to: '/settings/account', word: t('Account'), about: t('your password, second factors, identities, and where you are signed in') },
  { to: '/settings/people', word: t('People'), about: t('who may sign in, and what they may do'), needs: ['administer', 'access'] },
  { to: '/settings/roles', word: t('Roles'), about: t('what each permits, and roles of your own'), needs: ['administer', 'access'] },
  { to: '/settings/tokens', word: t('API tokens'), about: t('what programs show'), needs: ['administer', 'access'] },
  { to: '/settings/channels', word: t('Channels'), about: t('where alerts go, and whether they arrive'), needs: ['read', 'notifications'] },
  { to: '/settings/series', word: t('Series'), about: t('how many there are and may be'), needs: ['read', 'system'] },
  { to: '/settings/widgets', word: t('Widgets'), about: t('panels that scripts of your own draw'), needs: ['read', 'dashboards'] },
  {
    to: '/settings/configuration',
    word: t('Configuration'),
    about: t('what was applied, what changed, and the way back'),
    needs: ['administer', 'system'],
  },
  {
    to: '/settings/audit',
    word: t('Audit log'),
    about: t('who did what, and whether that is still what was written'),
    needs: ['administer', 'audit'],
  },
  {
    to: '/api/docs',
    word: t('API reference'),
    about: t('every address that programs may ask, what it takes and what it answers'),
    needs: ['read', 'own'],
  },
];

/** One list of everything that is set, and the appearance of this browser. */
export function SettingsPage() {
  useTitle(t('Settings'));
  const session = useSession();
  const { actor, scope } = session;
  const isOpen = ({ needs }: SettingsEntry): boolean => (needs === undefined ? actor.kind === 'user' : mayIn(session, ...needs));
  return (
    <div className="page settings">
      <header className="page-head">
        <div>
          <h1>{t('Settings')}</h1>
          <p className="page-lead">
            {t('Signed in as {name}, {role}.', { name: actor.name === '' ? actor.id : actor.name, role: actor.role })}
          </p>
        </div>
        {actor.kind === 'user' ? <SignOut /> : null}
      </header>
      <ul className="settings-list panel" aria-label={t('Settings')}>
        {SETTINGS.filter(isOpen).map(({ to, word, about }) => (
          <li key={to}>
            <Link to={to}>{word}</Link>
            <span className="soft">{about}</span>
          </li>
        ))}
      </ul>
      <Appearance />
      <BeginsAt />
      {scope === '' && mayIn(session, 'administer', 'system') ? <SupportBundle /> : null}
    </div>
  );
}

/** The way out where the side with its own is not shown. */
function SignOut() {
  const signOut = useSignOut();
  return (
    <div className="narrow-only">
      <Button variant="default" onClick={() => signOut.mutate()}>
        {t('Sign out')}
      </Button>
    </div>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [spacing, setSpacing] = useState(density);
  return (
    <Section title={t('Appearance')}>
      <div>
        <SegmentedControl
          aria-label={t('Theme')}
          data={[
            { value: 'auto', label: t('As the system') },
            { value: 'light', label: t('Light') },
            { value: 'dark', label: t('Dark') },
          ]}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as 'auto' | 'light' | 'dark')}
        />
      </div>
      <div>
        <SegmentedControl
          aria-label={t('Density')}
          data={[
            { value: 'comfortable', label: t('Comfortable') },
            { value: 'compact', label: t('Compact') },
          ]}
          value={spacing}
          onChange={(value) => {
            setDensity(value as Density);
            setSpacing(value as Density);
          }}
        />
      </div>
      <div>
        <LanguageChoice />
      </div>
      <p className="faint">
        {rich('For a wall screen, add <code>?kiosk=1</code> to the address of any page.', { code: (inner) => <code>{inner}</code> })}
      </p>
    </Section>
  );
}
