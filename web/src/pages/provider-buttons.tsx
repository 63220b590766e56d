import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { SsoRefusal } from '../api/wire.ts';
import { providersQuery } from '../api/queries.ts';
import { t } from '../language/t.ts';

const WORDS: Readonly<Record<SsoRefusal, string>> = {
  sso_unknown_provider: t('This identity provider is not configured here. Choose another way to sign in.'),
  sso_provider_down: t('The identity provider did not answer. Try again in a moment, or sign in with your password.'),
  sso_expired: t('This sign-in took longer than ten minutes or was used before. Begin again.'),
  sso_other_browser: t('This sign-in was begun in another browser. Begin again here.'),
  sso_declined: t('The identity provider did not sign you in.'),
  sso_answer_refused: t('The answer of the identity provider did not pass its checks, so it was not used. The log of the server says why.'),
  sso_no_role: t('You are known to the identity provider, but none of your groups has a role here. Ask an administrator for one.'),
  sso_disabled: t('Your account is disabled here. Ask an administrator.'),
  sso_taken: t('This identity belongs to another account here.'),
  sso_failed: t('Signing in failed. The log of the server says why.'),
};

/** Why an identity provider's answer did not sign somebody in, from the address of the page. */
export function SsoNotice() {
  const refused = new URLSearchParams(window.location.search).get('refused');
  if (refused === null) return null;
  return (
    <div className="notice" role="alert">
      <p>{WORDS[refused as SsoRefusal] ?? WORDS.sso_failed}</p>
    </div>
  );
}

/** One button for each identity provider; nothing without one. */
export function ProviderButtons() {
  const ways = useQuery(providersQuery());
  const next = new URLSearchParams(window.location.search).get('next');
  const query = next === null ? '' : `?next=${encodeURIComponent(next)}`;
  return ways.data?.providers.map(({ id, name }) => (
    <Button key={id} component="a" variant="default" href={`/api/sso/${encodeURIComponent(id)}/start${query}`}>
      {t('Sign in with {name}', { name })}
    </Button>
  ));
}
