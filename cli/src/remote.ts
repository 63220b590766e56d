import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import { CliFailure, EXIT } from './failure.ts';

/** Where a running server is and how to sign in to it. */
export type RemoteOptions = { readonly url?: string | undefined; readonly tokenFile?: string | undefined };

const DEFAULT_URL = 'http://127.0.0.1:7070';
/** Longest wait for an answer; a query may take two minutes. */
const TIMEOUT_MS = 150_000;

export type AskOptions = {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown /** Sent as it is. */;
  readonly yaml?: string;
};

/** Where requests go, without a slash at the end, and the headers that they need. */
export function destination(options: RemoteOptions): { readonly base: string; readonly headers: Readonly<Record<string, string>> } {
  const base = (options.url ?? process.env['NINES_URL'] ?? DEFAULT_URL).replace(/\/+$/, '');
  const token = readToken(options.tokenFile);
  return { base, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } };
}

/** The end of a command whose request was answered with this. */
export function refusal(options: RemoteOptions, status: number, text: string): CliFailure {
  const { base } = destination(options);
  const reason = status === 401 ? unknownCaller(readToken(options.tokenFile)) : reasonIn(text, status);
  return new CliFailure(codeFor(status), `${base} refused: ${reason}`);
}

/** Asks the server and returns the body as text. */
export async function ask(options: RemoteOptions, path: string, asked: AskOptions = {}): Promise<string> {
  return new TextDecoder().decode(await askBytes(options, path, asked));
}

/** Asks the server and returns the body. A refusal ends the command with the server's own words and the code for its kind. */
export async function askBytes(options: RemoteOptions, path: string, { method = 'GET', body, yaml }: AskOptions = {}): Promise<Uint8Array> {
  const { base, headers } = destination(options);
  let response: Response;
  try {
    response = await fetch(base + path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(yaml === undefined ? {} : { 'content-type': 'application/yaml' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(yaml === undefined ? {} : { body: yaml }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
    const hint = isDistrust(thrown)
      ? '; trust it with NODE_EXTRA_CA_CERTS=FILE, for tls: auto the tls-authority.pem of the data directory'
      : '';
    throw new CliFailure(EXIT.remote, `no answer from ${base}: ${cause}${hint}`);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.ok) return bytes;
  throw refusal(options, response.status, new TextDecoder().decode(bytes));
}

/** Whether the server's certificate is of nobody who is trusted here. */
function isDistrust(thrown: unknown): boolean {
  const { code } = ((thrown instanceof Error ? thrown.cause : undefined) ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code);
}

/** What to do about a 401, in the words of this command line; the server's own are for those who speak HTTP. */
function unknownCaller(token: string | undefined): string {
  const make = 'make one with: nines token create --data DIR --name cli --role read-only';
  return token === undefined || token === ''
    ? `no token was given; set NINES_TOKEN or --token-file (${make})`
    : `the token is unknown, expired or revoked (${make})`;
}

function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return process.env['NINES_TOKEN'];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read the token file: ${messageOf(thrown)}`);
  }
}

function codeFor(status: number): CliFailure['code'] {
  if (status === 401 || status === 403) return EXIT.auth;
  if (status === 404) return EXIT.notFound;
  return status < 500 && status !== 429 ? EXIT.badInput : EXIT.remote;
}

/** The reason in a problem+json or in Prometheus' error shape. */
function reasonIn(text: string, status: number): string {
  try {
    const body = JSON.parse(text) as { readonly detail?: unknown; readonly error?: unknown };
    const reason = body.detail ?? body.error;
    if (typeof reason === 'string') return reason;
  } catch {
    // Not JSON: a proxy in between answered. Its status is all there is to say.
  }
  return `status ${status}`;
}
