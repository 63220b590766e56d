import { readFile } from 'node:fs/promises';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { HttpClientSettings, OAuth2Settings, SecretSource, TlsSettings } from './client-config.ts';
import { proxyFor } from './proxy.ts';
import type { OpenAnswer, Outbound, OutboundAnswer, OutboundTls, Transport } from './outbound.ts';
import { knowSecret } from '../scrub.ts';

/** What is asked of a configured client. `timeoutMs` is for everything together: files, token, redirects, body. */
export type ClientRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
};

/** Requests as a Prometheus configuration wants them: certificates, proxy, who we are, redirects. */
export type HttpClient = {
  get(url: string, request: ClientRequest): Promise<OutboundAnswer>;
  /** Follows only redirects that keep the method and the body (307, 308). */
  post(url: string, request: ClientRequest & { readonly body: string | Uint8Array }): Promise<OutboundAnswer>;
  /** The answer while it still comes; `timeoutMs` is until its headers. Follows no redirect. */
  open(url: string, request: Omit<ClientRequest, 'maxBytes'>): Promise<OpenAnswer>;
};
export type HttpClientDeps = {
  readonly outbound: Outbound;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;
const REDIRECTS = { GET: new Set([301, 302, 303, 307, 308]), POST: new Set([307, 308]) } as const;
/** A token is renewed this long before it ends. */
const TOKEN_MARGIN_MS = 10_000;
const MAX_TOKEN_BYTES = 1_048_576;

export function createHttpClient(settings: HttpClientSettings, deps: HttpClientDeps): HttpClient {
  const { outbound, clock } = deps;
  const { auth } = settings;
  const token = auth?.kind === 'oauth2' ? createTokenSource(auth, deps) : undefined;
  const prepare = async (request: Omit<ClientRequest, 'maxBytes'>): Promise<{ headers: Record<string, string>; tls: OutboundTls }> => {
    const authorization = token === undefined ? await authorizationOf(settings) : await token(request);
    const headers: Record<string, string> = { ...request.headers };
    for (const { name, values } of settings.headers) headers[name] = (await Promise.all(values.map(hidden))).join(', ');
    if (authorization !== undefined) headers['authorization'] = authorization;
    return { headers, tls: await tlsMaterial(settings.tls) };
  };
  const transport = (url: string, tls: OutboundTls): Transport => {
    const proxyUrl = URL.canParse(url) ? proxyFor(new URL(url), settings.proxy, deps.environment ?? process.env) : undefined;
    if (proxyUrl === undefined) return { tls };
    const shown = Object.entries(settings.proxy?.connectHeaders ?? {}).map(([name, value]) => [name, value.reveal()] as const);
    return { tls, proxy: { url: proxyUrl, headers: Object.fromEntries(shown) } };
  };
  type Exchange = ClientRequest & { readonly method: keyof typeof REDIRECTS; readonly body?: string | Uint8Array };
  const exchange = async (firstUrl: string, request: Exchange): Promise<OutboundAnswer> => {
    const startedMs = clock.monotonic();
    let url = firstUrl;
    const { headers: own, tls } = await prepare(request);
    let headers = own;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const timeoutMs = Math.max(1, Math.ceil(request.timeoutMs - (clock.monotonic() - startedMs)));
      const answer = await outbound.request(url, { ...request, headers, timeoutMs, transport: transport(url, tls) });
      const location = headerOf(answer.headers, 'location');
      if (!settings.followRedirects || !REDIRECTS[request.method].has(answer.status) || location === undefined) return answer;
      const next = new URL(location, url);
      // What proves who we are was meant for the first host only.
      if (next.origin !== new URL(url).origin) headers = { ...request.headers };
      url = next.href;
    }
    throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
  };
  return {
    get: (url, request) => exchange(url, { ...request, method: 'GET' }),
    post: (url, request) => exchange(url, { ...request, method: 'POST' }),
    async open(url, request) {
      const { headers, tls } = await prepare(request);
      return outbound.open(url, { ...request, headers, transport: transport(url, tls) });
    },
  };
}

export function headerOf(headers: OutboundAnswer['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function authorizationOf({ auth }: HttpClientSettings): Promise<string | undefined> {
  if (auth === undefined || auth.kind === 'oauth2') return undefined;
  if (auth.kind === 'authorization') return `${auth.type} ${await hidden(auth.credentials)}`;
  return basic(await secretOf(auth.username), await hidden(auth.password));
}

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Also one that a file holds stands in no log. */
async function hidden(source: SecretSource): Promise<string> {
  const text = await secretOf(source);
  if ('file' in source) knowSecret(text);
  return text;
}

async function secretOf(source: SecretSource): Promise<string> {
  if ('file' in source) return (await readFile(source.file, 'utf8')).trim();
  return typeof source.text === 'string' ? source.text : source.text.reveal();
}

/** Certificates are read again each time, because they are renewed in place; equal ones share their connections. */
async function tlsMaterial(tls: TlsSettings): Promise<OutboundTls> {
  const [ca, cert, key] = await Promise.all(
    [tls.ca, tls.cert, tls.key].map(async (one) => (one === undefined ? undefined : secretOf(one))),
  );
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
  };
}

type Token = { readonly authorization: string; readonly validUntilMs: number };
type TokenRequest = Pick<ClientRequest, 'timeoutMs' | 'signal'>;

/**
 * The client credentials grant of OAuth 2.0 (RFC 6749, 4.4). The id and secret go into the header, and into the form when the
 * endpoint refuses that, as Go's client does. One request at a time; a token is kept until shortly before its end.
 */
function createTokenSource(settings: OAuth2Settings, deps: HttpClientDeps): (request: TokenRequest) => Promise<string> {
  let token: Token | undefined;
  let asking: Promise<Token> | undefined;
  return async (request) => {
    if (token !== undefined && deps.clock.monotonic() < token.validUntilMs) return token.authorization;
    asking ??= askToken(settings, deps, request).finally(() => {
      asking = undefined;
    });
    token = await asking;
    return token.authorization;
  };
}

async function askToken(settings: OAuth2Settings, deps: HttpClientDeps, request: TokenRequest): Promise<Token> {
  const secret = await hidden(settings.clientSecret);
  const tls = await tlsMaterial(settings.client.tls);
  const proxyUrl = proxyFor(new URL(settings.tokenUrl), settings.client.proxy, deps.environment ?? process.env);
  const ask = (inHeader: boolean): Promise<OutboundAnswer> => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...settings.endpointParams });
    if (settings.scopes.length > 0) form.set('scope', settings.scopes.join(' '));
    if (!inHeader) {
      form.set('client_id', settings.clientId);
      form.set('client_secret', secret);
    }
    const own = inHeader ? { authorization: basic(encodeURIComponent(settings.clientId), encodeURIComponent(secret)) } : {};
    return deps.outbound.request(settings.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...own },
      body: form.toString(),
      timeoutMs: request.timeoutMs,
      maxBytes: MAX_TOKEN_BYTES,
      transport: { tls, ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl, headers: {} } }) },
    });
  };
  let answer = await ask(true);
  if (answer.status === 400 || answer.status === 401) answer = await ask(false);
  if (answer.status !== 200) throw new Error(`oauth2: ${settings.tokenUrl} answered HTTP status ${answer.status}`);
  return tokenOf(answer.body, settings.tokenUrl, deps.clock.monotonic());
}

function tokenOf(body: Buffer, url: string, nowMs: number): Token {
  let answered: { access_token?: unknown; token_type?: unknown; expires_in?: unknown } | null;
  try {
    answered = JSON.parse(body.toString('utf8')) as typeof answered;
  } catch (thrown) {
    throw new Error(`oauth2: ${url} did not answer with JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
  const found = answered?.access_token;
  if (typeof found !== 'string' || found === '') throw new Error(`oauth2: ${url} answered without an access_token`);
  const type = typeof answered?.token_type === 'string' && answered.token_type.toLowerCase() !== 'bearer' ? answered.token_type : 'Bearer';
  const lastsMs = Number(answered?.expires_in) * 1000;
  return { authorization: `${type} ${found}`, validUntilMs: lastsMs > 0 ? nowMs + lastsMs - TOKEN_MARGIN_MS : Number.POSITIVE_INFINITY };
}
