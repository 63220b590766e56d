import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fromBase32 } from '@nines/server/factors/base32.ts';
import { stepAt, totpCode } from '@nines/server/factors/totp.ts';
import { openDb } from '@nines/server/platform/db/open.ts';
import { STATE_FILE } from '@nines/server/platform/directory.ts';
import type { Browser, Page } from 'playwright-core';
import { startRealProvider } from '@nines/server/sso/testing/real-provider.ts';
import { NINES, type Nines, freePort, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const PASSWORD = 'correct horse battery';

let browser: Browser;
let nines: Nines;

let provider: Awaited<ReturnType<typeof startRealProvider>>;

before(async () => {
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const accounts = new Map([['bea-1', { name: 'bea', groups: ['ops'] }]]);
  provider = await startRealProvider([`${base}/api/sso/corp/callback`], accounts);
  const config = `
server: { base_url: '${base}' }
access:
  require_second_factor: [administrator]
  oidc:
    - id: corp
      name: Example Corp
      issuer: ${provider.url}
      client_id: nines
      client_secret: a secret of the client
      scopes: [openid, profile, groups]
      roles: { ops: operator }
`;
  [browser, nines] = await Promise.all([launch(), startNines({ config, port, args: [] })]);
});
after(async () => {
  await browser?.close();
  await nines?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});

/** An authenticator of Chromium's own, which examines its person and always finds them there. */
async function withAuthenticator(page: Page): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const;
  await protocol.send('WebAuthn.addVirtualAuthenticator', { options });
}

/** The last proof of every session is of long ago. */
async function ageProofs(): Promise<void> {
  const db = await openDb({ kind: 'sqlite', path: join(nines.dataDir, STATE_FILE) });
  await db.kysely.updateTable('sessions').set({ proved_at_ms: 1 }).execute();
  await db.close();
}

/** Where the person wanted to go, and nowhere else. */
const isAt = (page: Page, path: string): Promise<void> => page.waitForURL((url) => url.href === `http://localhost:${nines.port}${path}`);

/** Asks for a page as nobody; the sign-in that it leads to is loaded. */
async function wantTo(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
}

test('an administrator sets up an app and a passkey, signs in with a recovery code and with the passkey alone, and proves who they are', async () => {
  const link = /#token=(\S+)/.exec(nines.output())?.[1] ?? '';
  // Passkeys need a name; an address is none.
  const { page, complaints } = await openPage(browser, `http://localhost:${nines.port}`);
  await withAuthenticator(page);
  await page.goto(`/setup#token=${link}`);
  await page.getByLabel('Name').fill('Ann');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create and sign in' }).click();

  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
  await page.getByRole('button', { name: 'Set up an app' }).click();
  await page.getByRole('img', { name: /^QR code/ }).waitFor();
  const secret = fromBase32(((await page.locator('.app-key').textContent()) ?? '').replaceAll(' ', ''));
  assert.ok(secret.ok);
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByLabel('Code that the app shows now').fill(totpCode(secret.value, stepAt(Date.now())));
  await page.getByRole('button', { name: 'Put it in use' }).click();
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor();
  const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
  assert.equal(codes.length, 10);
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();

  await page.goto('/settings/account');
  await page.getByLabel('Name of the new passkey').fill('laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const row = page.getByRole('table', { name: 'Passkeys' }).getByRole('row').filter({ hasText: 'laptop' });
  await row.getByText('alone').waitFor();
  assert.deepEqual(await seriousFaults(page), []);

  await signOut(page);
  await wantTo(page, '/slas?q=shop');
  await page.getByLabel('Name').fill('Ann');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill(codes[0] ?? '');
  assert.deepEqual(await seriousFaults(page), []);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('You signed in with a recovery code; 9 are left.').waitFor();
  await isAt(page, '/slas?q=shop');

  await signOut(page);
  await wantTo(page, '/alerts-dashboard?status=all');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await isAt(page, '/alerts-dashboard?status=all');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();

  await ageProofs();
  await page.goto('/settings/account');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it you?' });
  await dialog.getByRole('textbox', { name: 'Password' }).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await dialog.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor();

  // Who has lost everything: whoever may write the data directory helps, beside the running server.
  const told = await promisify(execFile)(NINES, ['user', 'reset-factors', 'ann ', '--data', nines.dataDir]);
  assert.match(told.stdout, /^Ann signs in with the password alone now/);
  assert.equal((await nines.send('POST', '/api/session', { name: 'Ann', password: PASSWORD })).status, 204);
  await assert.rejects(promisify(execFile)(NINES, ['user', 'reset-factors', 'Bob', '--data', nines.dataDir]), { code: 3 });
  // The browser's own words for refusals that the page asked about.
  assert.deepEqual(
    complaints.filter((text) => !/status of (401|403)/.test(text)),
    [],
  );
  await page.context().close();
});

test('who signs in by an identity provider comes to the page that was asked for, and by a foreign address to their first one', async () => {
  const { page, complaints } = await openPage(browser, `http://localhost:${nines.port}`);
  // The provider's own pages want a font from outside.
  await page.route('https://fonts.googleapis.com/**', (route) => route.fulfill({ contentType: 'text/css', body: '' }));
  await wantTo(page, '/checks?q=shop');
  await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
  await page.locator('input[name=login]').fill('bea-1');
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await isAt(page, '/checks?q=shop');
  await page.getByText('bea, operator').first().waitFor();
  for (const next of ['//attacker.test/', 'https://attacker.test/', '/\\\\attacker.test']) {
    await signOut(page);
    await wantTo(page, `/login?next=${encodeURIComponent(next)}`);
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await isAt(page, '/');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  }
  assert.deepEqual(
    complaints.filter((text) => !text.includes(provider.url) && !/status of 401/.test(text)),
    [],
  );
  await page.context().close();
});
