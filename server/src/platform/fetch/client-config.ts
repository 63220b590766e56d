import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type Secret, httpUrl } from '../config/fields.ts';
import { list, secretText, text } from '../config/prometheus-fields.ts';

/**
 * How Prometheus configurations say who we are and whom we trust when we ask over HTTP: the same keys for scrapes, for
 * discovery and for OAuth 2.0 tokens. Source: prometheus.io/docs/prometheus/latest/configuration/configuration, <http_config>.
 */
export type HttpClientSettings = {
  readonly auth: HttpAuth | undefined;
  readonly tls: TlsSettings;
  readonly proxy: ProxySettings | undefined;
  /** Sent with every request, in the order written. */
  readonly headers: readonly { readonly name: string; readonly values: readonly SecretSource[] }[];
  readonly followRedirects: boolean;
};
/** Files are read at every request, so that a rotated secret is taken at once. Paths are absolute. */
export type SecretSource = { readonly text: Secret | string } | { readonly file: string };
export type HttpAuth =
  | { readonly kind: 'basic'; readonly username: SecretSource; readonly password: SecretSource }
  | { readonly kind: 'authorization'; readonly type: string; readonly credentials: SecretSource }
  | OAuth2Settings;
export type OAuth2Settings = {
  readonly kind: 'oauth2';
  readonly clientId: string;
  readonly clientSecret: SecretSource;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly endpointParams: Readonly<Record<string, string>>;
  /** How the token's endpoint itself is asked. */
  readonly client: HttpClientSettings;
};
export type TlsSettings = {
  readonly ca: SecretSource | undefined;
  readonly cert: SecretSource | undefined;
  readonly key: SecretSource | undefined;
  readonly serverName: string | undefined;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
};
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
export type ProxySettings =
  | { readonly kind: 'url'; readonly url: string; readonly noProxy: string; readonly connectHeaders: Readonly<Record<string, Secret>> }
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the process. */
  | { readonly kind: 'environment'; readonly connectHeaders: Readonly<Record<string, Secret>> };

const TLS_VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const tlsVersion = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).transform((name): TlsVersion => TLS_VERSIONS[name]);

/** For `superRefine`: at most one of the keys has a value. */
const atMostOne =
  (...keys: readonly string[]) =>
  (value: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx): void => {
    const set = keys.filter((key) => value[key] !== undefined && value[key] !== null && value[key] !== false);
    if (set.length > 1) context.addIssue({ code: 'custom', message: `at most one of ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}` });
  };

const tlsConfig = z
  .strictObject({
    ca: text.optional(),
    ca_file: text.optional(),
    cert: text.optional(),
    cert_file: text.optional(),
    key: secretText.optional(),
    key_file: text.optional(),
    server_name: text.optional(),
    insecure_skip_verify: z.boolean().default(false),
    min_version: tlsVersion.optional(),
    max_version: tlsVersion.optional(),
  })
  .superRefine(atMostOne('ca', 'ca_file'))
  .superRefine(atMostOne('cert', 'cert_file'))
  .superRefine(atMostOne('key', 'key_file'))
  .refine(
    ({ cert, cert_file, key, key_file }) => (cert ?? cert_file) === undefined || (key ?? key_file) !== undefined,
    'a client certificate needs its key: write key_file',
  )
  .refine(
    ({ cert, cert_file, key, key_file }) => (key ?? key_file) === undefined || (cert ?? cert_file) !== undefined,
    'a client key needs its certificate: write cert_file',
  );

const basicAuth = z
  .strictObject({
    username: text.optional(),
    username_file: text.optional(),
    password: secretText.optional(),
    password_file: text.optional(),
  })
  .superRefine(atMostOne('username', 'username_file'))
  .superRefine(atMostOne('password', 'password_file'));

const authorization = z
  .strictObject({ type: text.default('Bearer'), credentials: secretText.optional(), credentials_file: text.optional() })
  .superRefine(atMostOne('credentials', 'credentials_file'))
  .refine(({ type }) => type.toLowerCase() !== 'basic', 'type Basic is written as basic_auth');

const header = z.strictObject({ values: list(text), secrets: list(secretText), files: list(text) });

const proxyFields = {
  proxy_url: text
    .refine(
      (written) => written === '' || httpUrl.safeParse(written).success,
      'write an http:// or https:// proxy; others are not supported',
    )
    .optional(),
  no_proxy: text.optional(),
  proxy_from_environment: z.boolean().default(false),
  proxy_connect_header: z.record(z.string(), list(secretText)).nullish(),
};

const oauth2 = z
  .strictObject({
    client_id: text,
    client_secret: secretText.optional(),
    client_secret_file: text.optional(),
    scopes: list(text),
    token_url: httpUrl,
    endpoint_params: z.record(z.string(), text).nullish(),
    tls_config: tlsConfig.nullish(),
    ...proxyFields,
  })
  .superRefine(atMostOne('client_secret', 'client_secret_file'))
  .superRefine(atMostOne('proxy_url', 'proxy_from_environment'));

/** The keys, to be spread into the object that has them. */
export const httpClientFields = {
  basic_auth: basicAuth.nullish(),
  authorization: authorization.nullish(),
  oauth2: oauth2.nullish(),
  bearer_token: secretText.optional(),
  bearer_token_file: text.optional(),
  tls_config: tlsConfig.nullish(),
  ...proxyFields,
  follow_redirects: z.boolean().default(true),
  /** Taken for compatibility: HTTP/1.1 is spoken, which every target that offers HTTP/2 understands. */
  enable_http2: z.boolean().optional(),
  http_headers: z.record(z.string(), header).nullish(),
};
const fields = z.object(httpClientFields);
export type WrittenHttpClient = z.output<typeof fields>;

const ONE_WAY = atMostOne('basic_auth', 'authorization', 'oauth2', 'bearer_token', 'bearer_token_file');
const ONE_PROXY = atMostOne('proxy_url', 'proxy_from_environment');
/** What the keys mean together; for `superRefine` of the object that has them. */
export function checkHttpClient(written: WrittenHttpClient, context: z.core.$RefinementCtx): void {
  ONE_WAY(written, context);
  ONE_PROXY(written, context);
  if (written.no_proxy !== undefined && written.proxy_url === undefined)
    context.addIssue({ code: 'custom', message: 'no_proxy needs a proxy_url', path: ['no_proxy'] });
}

/** Settings with every path made absolute from `dir`. */
export function httpClientOf(written: WrittenHttpClient, dir: string): HttpClientSettings {
  const headers = Object.entries(written.http_headers ?? {}).map(([name, { values, secrets, files }]) => ({
    name: name.toLowerCase(),
    values: [...[...values, ...secrets].map((one) => ({ text: one })), ...files.map((file) => ({ file: within(dir, file) }))],
  }));
  return {
    auth: authOf(written, dir),
    tls: tlsOf(written.tls_config, dir),
    proxy: proxyOf(written),
    headers,
    followRedirects: written.follow_redirects,
  };
}

export const within = (dir: string, path: string): string => (isAbsolute(path) ? path : join(dir, path));

const sourceOf = (dir: string, value: Secret | string | undefined, file: string | undefined): SecretSource | undefined =>
  file !== undefined ? { file: within(dir, file) } : value === undefined ? undefined : { text: value };

function authOf(written: WrittenHttpClient, dir: string): HttpAuth | undefined {
  const source = (value: Secret | string | undefined, file: string | undefined): SecretSource => sourceOf(dir, value, file) ?? { text: '' };
  const { basic_auth: basic, authorization: other, oauth2: oauth, bearer_token: bearer, bearer_token_file: bearerFile } = written;
  if (basic)
    return {
      kind: 'basic',
      username: source(basic.username, basic.username_file),
      password: source(basic.password, basic.password_file),
    };
  if (other) return { kind: 'authorization', type: other.type, credentials: source(other.credentials, other.credentials_file) };
  if (oauth)
    return {
      kind: 'oauth2',
      clientId: oauth.client_id,
      clientSecret: source(oauth.client_secret, oauth.client_secret_file),
      tokenUrl: oauth.token_url,
      scopes: oauth.scopes,
      endpointParams: oauth.endpoint_params ?? {},
      client: { auth: undefined, tls: tlsOf(oauth.tls_config, dir), proxy: proxyOf(oauth), headers: [], followRedirects: false },
    };
  if (bearer === undefined && bearerFile === undefined) return undefined;
  return { kind: 'authorization', type: 'Bearer', credentials: source(bearer, bearerFile) };
}

function tlsOf(written: z.output<typeof tlsConfig> | null | undefined, dir: string): TlsSettings {
  return {
    ca: sourceOf(dir, written?.ca, written?.ca_file),
    cert: sourceOf(dir, written?.cert, written?.cert_file),
    key: sourceOf(dir, written?.key, written?.key_file),
    serverName: written?.server_name === '' ? undefined : written?.server_name,
    insecureSkipVerify: written?.insecure_skip_verify ?? false,
    minVersion: written?.min_version,
    maxVersion: written?.max_version,
  };
}

function proxyOf(written: z.output<z.ZodObject<typeof proxyFields>>): ProxySettings | undefined {
  const first = Object.entries(written.proxy_connect_header ?? {}).flatMap(([name, [value]]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const connectHeaders = Object.fromEntries(first);
  if (written.proxy_from_environment) return { kind: 'environment', connectHeaders };
  if (written.proxy_url === undefined || written.proxy_url === '') return undefined;
  return { kind: 'url', url: written.proxy_url, noProxy: written.no_proxy ?? '', connectHeaders };
}
