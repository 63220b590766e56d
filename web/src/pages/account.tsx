import { useSession } from '../shell/session.tsx';
import { AccountFactors } from './account-factors.tsx';
import { AccountIdentities } from './account-identities.tsx';
import { Sessions } from './sessions.tsx';
import { Password } from './settings.tsx';
import { useTitle } from './use-title.ts';

/** What a person has here: password, second factors, identities, sessions. */
export function AccountPage() {
  useTitle('Account');
  const { actor } = useSession();
  const isPerson = actor.kind === 'user';
  return (
    <div className="page settings">
      <header className="page-head">
        <div>
          <h1>Account</h1>
          <p className="page-lead">{isPerson ? `${actor.name}, ${actor.role}.` : 'Only people who sign in have an account.'}</p>
        </div>
      </header>
      {isPerson ? (
        <>
          <Password />
          <AccountFactors />
          <AccountIdentities />
          <Sessions />
        </>
      ) : null}
    </div>
  );
}
