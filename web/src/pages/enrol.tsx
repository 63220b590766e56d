import { useQueryClient } from '@tanstack/react-query';
import { Button } from '@mantine/core';
import { useSignOut } from '../api/actions.ts';
import type { SessionView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { StepUpDialog } from '../shell/step-up.tsx';
import { AccountFactors } from './account-factors.tsx';
import { useTitle } from './use-title.ts';

/** What stands in the place of every page while the person's role needs a second factor that they do not have. */
export function EnrolPage({ session: { actor }, onDone }: { readonly session: SessionView; readonly onDone: () => void }) {
  useTitle(t('Set up a second factor'));
  const client = useQueryClient();
  const signOut = useSignOut();
  const done = () => void client.resetQueries().then(onDone);
  return (
    <main className="page settings enrol">
      <header className="page-head">
        <div>
          <h1>{t('Set up a second factor')}</h1>
          <p className="page-lead">
            {t('The role {role} needs one. Set up an app or a passkey; everything else opens after that.', { role: actor.role })}
          </p>
        </div>
        <Button variant="default" onClick={() => signOut.mutate()}>
          {t('Sign out')}
        </Button>
      </header>
      <AccountFactors onKept={done} />
      <StepUpDialog />
    </main>
  );
}
