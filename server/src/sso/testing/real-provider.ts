import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { listenOnLoopback } from './listen.ts';

type Account = { readonly name: string; readonly groups: readonly string[] };

/** node-oidc-provider, a certified OpenID provider, with the sign-in pages that it brings along. Any password is taken. */
export async function startRealProvider(redirectUris: string[], accounts: Map<string, Account>) {
  const server = createServer();
  const listening = await listenOnLoopback(server);
  const provider = new Provider(listening.url, {
    clients: [{ client_id: 'nines', client_secret: 'a secret of the client', redirect_uris: redirectUris }],
    claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'groups'],
    pkce: { required: () => true },
    cookies: { keys: ['a key for this test only'] },
    findAccount: (_context, sub) => {
      const account = accounts.get(sub);
      if (account === undefined) return undefined;
      return { accountId: sub, claims: () => ({ sub, preferred_username: account.name, groups: [...account.groups] }) };
    },
  });
  server.on('request', provider.callback());
  return listening;
}

/** Walks a person through the provider's pages as their browser would, and returns the address it is sent back to. */
export async function signInThere(authorizationUrl: string, login: string, backTo: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const call = async (url: string, form?: URLSearchParams): Promise<Response> => {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && { method: 'POST', body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';', 1)[0] ?? '').split(/=(.*)/s);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  let url = authorizationUrl;
  let answer = await call(url);
  for (let step = 0; step < 10; step++) {
    const location = answer.headers.get('location');
    if (location !== null) {
      url = new URL(location, url).href;
      if (url.startsWith(backTo)) return new URL(url);
      answer = await call(url);
      continue;
    }
    const prompt = /name="prompt" value="(\w+)"/.exec(await answer.text())?.[1] ?? '';
    answer = await call(url, new URLSearchParams({ prompt, login, password: 'any' }));
  }
  throw new Error(`the provider did not send ${login} back; last at ${url} with ${answer.status}`);
}
