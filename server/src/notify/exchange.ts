import { messageOf } from '@nines/base/errors.ts';
import type { Delivery } from './contract.ts';
import type { ChannelDeps } from './kind.ts';
import { scrub, scrubbedStart } from '../platform/scrub.ts';

export type Failed = Extract<Delivery, { kind: 'failed' }>;
/** An answer of 2xx. `json` is undefined when the body is none. */
export type Answered = { readonly kind: 'answered'; readonly status: number; readonly text: string; readonly json: unknown };

export type Exchange = {
  readonly url: string;
  readonly method?: 'POST' | 'PATCH' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** `untrusted` when the address does not come from the configuration file. */
  readonly trust?: 'untrusted';
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What a refusal in the provider's own words means: the sentence for people, and a wait that stands in the body. */
  readonly explain?: (json: unknown) => { readonly error?: string | undefined; readonly retryAfterMs?: number | undefined };
};

/** Characters of a refusing answer that stand in the error: enough for a sentence, too few for a page. */
const MAX_ANSWER_CHARS = 300;

/** One request of a channel. Worth another try: no answer, 5xx, 408, 425 and 429 (after its `Retry-After`); everything else is final. */
export async function exchange({ request, clock }: Pick<ChannelDeps, 'request' | 'clock'>, asked: Exchange): Promise<Answered | Failed> {
  const { url, method = 'POST', body, timeoutMs, signal, trust, explain } = asked;
  const headers = { 'user-agent': 'Nines', ...asked.headers };
  try {
    const {
      status,
      headers: told,
      body: bytes,
    } = await request(url, {
      method,
      headers,
      body,
      timeoutMs,
      ...(trust === undefined ? {} : { trust }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = bytes.toString('utf8').trim();
    const json = parsed(text);
    if (status >= 200 && status < 300) return { kind: 'answered', status, text, json };
    const explained = json === undefined ? {} : (explain?.(json) ?? {});
    const said = scrubbedStart(explained.error ?? text, MAX_ANSWER_CHARS);
    const retryable = status >= 500 || status === 429 || status === 425 || status === 408;
    const waitMs = retryable ? (explained.retryAfterMs ?? retryAfterMs(told['retry-after'], clock.now())) : undefined;
    return failed(`HTTP ${status}${said === '' ? '' : `: ${said}`}`, retryable, waitMs);
  } catch (thrown) {
    return failed(messageOf(thrown), true);
  }
}

export const failed = (error: string, retryable: boolean, waitMs?: number): Failed => ({
  kind: 'failed',
  error: scrub(error),
  retryable,
  ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A member of an answer that may be anything. */
export const memberOf = (json: unknown, name: string): unknown =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined;
export function textMember(json: unknown, name: string): string | undefined {
  const member = memberOf(json, name);
  return typeof member === 'string' ? member : typeof member === 'number' ? String(member) : undefined;
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); what is neither is ignored. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  // Only the date form of HTTP: Date.parse takes "-1" for a day of the year 2001.
  const atMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

export const JSON_TYPE = { 'content-type': 'application/json' };
