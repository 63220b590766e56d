import { t } from '../language/t.ts';
import { useSession } from '../shell/session.tsx';
import { AccountFactors } from './account-factors.tsx';
import { AccountIdentities } from './account-identities.tsx';
import { AccountPassword } from './account-password.tsx';
import { Sessions } from './sessions.tsx';
import { SettingsHead } from './settings-head.tsx';

/** What a person has here: password, second factors, identities, sessions. */
export function AccountPage() {
  const { actor } = useSession();
  const isPerson = actor.kind === 'user';
  return (
    <div className="page settings">
      <SettingsHead
        title={t('Account')}
        lead={isPerson ? `${actor.name}, ${actor.role}.` : t('Only people who sign in have an account.')}
      />
      {isPerson ? (
        <>
          <AccountPassword />
          <AccountFactors />
          <AccountIdentities />
          <Sessions />
        </>
      ) : null}
    </div>
  );
}
