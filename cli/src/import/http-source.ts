import { messageOf } from '@nines/base/errors.ts';
import { CliFailure, EXIT } from '../failure.ts';

/** Asks a server that samples come from. A user and password in the URL become Basic credentials. */
export async function askSource(url: URL, init: RequestInit = {}): Promise<Response> {
  const plain = new URL(url);
  const headers = new Headers(init.headers);
  if (plain.username !== '') {
    const pair = `${decodeURIComponent(plain.username)}:${decodeURIComponent(plain.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    plain.username = '';
    plain.password = '';
  }
  let response: Response;
  try {
    response = await fetch(plain, { ...init, headers });
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
    throw new CliFailure(EXIT.remote, `no answer from ${plain.origin}: ${cause}`);
  }
  if (response.ok) return response;
  throw new CliFailure(
    EXIT.remote,
    `${plain.origin}${plain.pathname} answered ${response.status}: ${(await response.text()).slice(0, 500).trim()}`,
  );
}

/** `base` with `path` below its own. */
export function below(base: string, path: string): URL {
  try {
    return new URL(`${base.replace(/\/+$/, '')}${path}`);
  } catch {
    throw new CliFailure(EXIT.badInput, `${base} is no URL`);
  }
}
