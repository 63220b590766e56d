/** The browser's half of passkeys. */
import type { CreationOptions, RequestOptions } from '@nines/server/factors/contract.ts';
import { ApiProblem } from './problem.ts';
import { t } from '../language/t.ts';

/** Browsers before 2024 cannot read what the server sends, and pages without TLS have no passkeys at all. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential !== 'undefined' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function';

/** Has the person make a passkey. */
export const makePasskey = (options: CreationOptions): Promise<unknown> =>
  withAuthenticator(() => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as unknown as PublicKeyCredentialCreationOptionsJSON);
    return navigator.credentials.create({ publicKey });
  });

/** Has the person answer with a passkey. */
export const usePasskeyOnce = (options: RequestOptions): Promise<unknown> =>
  withAuthenticator(() => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as unknown as PublicKeyCredentialRequestOptionsJSON);
    return navigator.credentials.get({ publicKey });
  });

const WORDS: Readonly<Record<string, string>> = {
  NotAllowedError: t('No passkey was used: it was cancelled, took too long, or there is none for this site.'),
  InvalidStateError: t('This authenticator has a passkey for this account already.'),
  SecurityError: t('Passkeys are tied to another address than the one this page was opened at.'),
};

async function withAuthenticator(ask: () => Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = await ask();
    if (credential instanceof PublicKeyCredential) return credential.toJSON();
  } catch (thrown) {
    const name = thrown instanceof DOMException ? thrown.name : '';
    throw new ApiProblem(WORDS[name] ?? t('The browser could not ask for a passkey.'), {
      status: 400,
      code: 'no_passkey',
      where: t('this browser'),
    });
  }
  throw new ApiProblem(t('The browser answered without a passkey.'), { status: 400, code: 'no_passkey', where: t('this browser') });
}
