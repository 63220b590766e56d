import { SECOND_MS } from '@nines/base/units.ts';
import type { Configuration, CustomFetch } from 'openid-client';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { claimsOf } from './evaluate.ts';
import type { Claims, ProviderConfig } from './contract.ts';

/** What of a sign-in only the asking browser can know again. */
export type Expected = { readonly state: string; readonly nonce: string; readonly verifier: string };

const TIMEOUT_MS = 10 * SECOND_MS;
/** Discovery documents, key sets and answers about a person have a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024;
/** Asymmetric algorithms only: `none` proves nothing, and with HS256 a public value could serve as the key. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  'RS256',
  'PS256',
  'ES256',
  'EdDSA',
  'Ed25519',
  'RS384',
  'PS384',
  'ES384',
  'RS512',
  'PS512',
  'ES512',
]);

type Library = typeof import('openid-client');

/** One provider, asked through the guarded client. Its metadata are read at the first use. */
export class Provider {
  readonly config: ProviderConfig;
  readonly #fetch: CustomFetch;
  #opened: Promise<{ readonly library: Library; readonly client: Configuration }> | undefined;

  constructor(config: ProviderConfig, outbound: Pick<Outbound, 'request'>) {
    this.config = config;
    this.#fetch = guardedFetch(outbound);
  }

  /** Where the browser is sent. Rejects when the provider cannot be reached. */
  async authorizationUrl(redirectUri: string, expected: Expected): Promise<string> {
    const { library, client } = await this.#open();
    return library.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope: this.config.scopes.join(' '),
      state: expected.state,
      nonce: expected.nonce,
      code_challenge: await library.calculatePKCECodeChallenge(expected.verifier),
      code_challenge_method: 'S256',
    }).href;
  }

  /** Exchanges the answer for what the provider says of the person. Rejects with the library's reason when anything does not fit. */
  async claims(answer: URL, expected: Expected): Promise<Claims> {
    const { library, client } = await this.#open();
    const tokens = await library.authorizationCodeGrant(client, answer, {
      expectedState: expected.state,
      expectedNonce: expected.nonce,
      pkceCodeVerifier: expected.verifier,
      idTokenExpected: true,
    });
    const idToken = tokens.claims();
    if (idToken === undefined) throw new Error('BUG: an ID token was expected and accepted, but there is none');
    const { groups_claim: groupsClaim } = this.config;
    requireAlgorithm(tokens.id_token);
    const asks = idToken[groupsClaim] === undefined || idToken['preferred_username'] === undefined;
    const hasUserInfo = client.serverMetadata().userinfo_endpoint !== undefined;
    const userInfo = asks && hasUserInfo ? await library.fetchUserInfo(client, tokens.access_token, idToken.sub) : {};
    return claimsOf(
      idToken as typeof idToken & Readonly<Record<string, unknown>>,
      userInfo as Readonly<Record<string, unknown>>,
      groupsClaim,
    );
  }

  #open() {
    this.#opened ??= this.#discover().catch((thrown: unknown) => {
      // The next sign-in asks again.
      this.#opened = undefined;
      throw thrown;
    });
    return this.#opened;
  }

  async #discover() {
    const library = await import('openid-client');
    const { issuer, client_id: id, client_secret: secret } = this.config;
    const authentication = secret === undefined ? library.None() : library.ClientSecretBasic(secret.reveal());
    // Loopback only: the configuration refuses http:// anywhere else.
    const plain = issuer.startsWith('http:') ? [library.allowInsecureRequests] : [];
    const client = await library.discovery(new URL(issuer), id, {}, authentication, {
      [library.customFetch]: this.#fetch,
      timeout: TIMEOUT_MS / SECOND_MS,
      // The signature counts too, not only that the token came over the provider's own connection.
      execute: [...plain, library.enableNonRepudiationChecks],
    });
    const { issuer: said, id_token_signing_alg_values_supported: offered = ['RS256'] } = client.serverMetadata();
    if (said !== issuer) throw new Error(`the provider calls itself ${said}, the configuration ${issuer}`);
    const algorithm = offered.find((name) => ALGORITHMS.has(name));
    if (algorithm === undefined) throw new Error(`the provider signs with ${offered.join(', ')} only, none of which is accepted`);
    return { library, client };
  }
}

/** The signature was examined; this says that it was one that proves something, whatever the provider offers. */
function requireAlgorithm(idToken = ''): void {
  const header: unknown = JSON.parse(Buffer.from(idToken.split('.', 1)[0] ?? '', 'base64url').toString('utf8'));
  const { alg } = header as { readonly alg?: unknown };
  if (typeof alg !== 'string' || !ALGORITHMS.has(alg)) throw new Error(`the ID token is signed with ${String(alg)}, which is not accepted`);
}

function guardedFetch(outbound: Pick<Outbound, 'request'>): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await outbound.request(url, {
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      ...(body instanceof URLSearchParams ? { body: body.toString() } : typeof body === 'string' ? { body } : {}),
      ...(signal !== undefined && signal !== null && { signal }),
    });
    const type = answer.headers['content-type'];
    const empty = answer.status === 204 || answer.status === 304;
    return new Response(empty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: type === undefined ? {} : { 'content-type': String(type) },
    });
  };
}

/** For the lifetime of one configuration. */
export class Providers {
  readonly #outbound: Pick<Outbound, 'request'>;
  #known: ReadonlyMap<string, Provider> = new Map();

  constructor(outbound: Pick<Outbound, 'request'>) {
    this.#outbound = outbound;
  }

  /** Keeps what is known of providers that did not change. */
  take(configs: readonly ProviderConfig[]): void {
    this.#known = new Map(
      configs.map((config) => {
        const known = this.#known.get(config.id);
        return [config.id, known?.config === config ? known : new Provider(config, this.#outbound)];
      }),
    );
  }

  get(id: string): Provider | undefined {
    return this.#known.get(id);
  }
}
