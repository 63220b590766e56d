import type { IncomingMessage } from 'node:http';
import { AppError } from '@nines/base/errors.ts';
import type { FastifyRequest } from 'fastify';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a state-changing request that a page of another origin sent with the browser's cookies (or, without
 * authentication, with the browser's mere reach). Programs send neither header and pass; tokens cannot be sent by accident.
 */
export function checkSameOrigin(request: FastifyRequest): void {
  if (SAFE_METHODS.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const foreign =
    site === undefined ? origin !== undefined && hostOf(origin) !== request.headers.host : site !== 'same-origin' && site !== 'none';
  if (foreign) throw new AppError('forbidden', 'cross_site_request', 'this request came from a page of another site');
}

/**
 * Whether a request says once, or not at all, which host it is for. Of several each server on its way may take another one, so that pages
 * and caches are taken for those of another name (RFC 9112, section 3.2). Node's parser keeps the first and says nothing.
 */
export function hasOneHost({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts <= 1;
}

/** `AppError` `malformed_request`. */
export function checkOneHost({ raw }: FastifyRequest): void {
  if (!hasOneHost(raw)) throw new AppError('bad_input', 'malformed_request', 'this request names several hosts');
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Without authentication a name that an attacker made resolve to 127.0.0.1 must not open the server to their page (DNS
 * rebinding), so only loopback names are answered.
 */
export function checkLoopbackHost(request: FastifyRequest): void {
  if (isLoopbackHost(request.headers.host)) return;
  throw new AppError('forbidden', 'host_refused', 'without authentication only requests to localhost, 127.0.0.1 or [::1] are answered');
}

export function isLoopbackHost(header = ''): boolean {
  const host = header.replace(/:\d+$/, '').toLowerCase();
  return LOOPBACK_NAMES.has(host) || host.endsWith('.localhost');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

/**
 * Deepest nesting of a JSON body. Our own bodies stay below 10; the limit keeps recursive validation off the end of the stack.
 */
export const MAX_JSON_DEPTH = 64;

/** Counts brackets outside strings, before the text is parsed. */
export function jsonTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
