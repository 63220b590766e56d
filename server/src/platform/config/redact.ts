import { HIDDEN, scrub } from '../scrub.ts';
import { Secret } from './fields.ts';

/** Keys whose text is secret wherever they stand. */
export const SECRET_KEY = /passw(or)?d|passphrase|secret|token|credential|authorization|api_?key|private_?key|bearer/i;
/** Keys that are called like a secret and hold none. */
const PLAIN_KEYS: ReadonlySet<string> = new Set(['per_token']);
/** Path segments this long are keys in disguise, as in the webhook addresses of chat services. */
const MIN_SECRET_SEGMENT = 20;

/**
 * A copy for showing: secrets, header values, and what addresses carry beside host and path are replaced; functions are left
 * out; exact decimals and matchers appear as they were written.
 */
export function redact(value: unknown, key = ''): unknown {
  if (value instanceof Secret) return HIDDEN;
  if (typeof value === 'string') return SECRET_KEY.test(key) && !PLAIN_KEYS.has(key) ? HIDDEN : scrub(redactUrl(value));
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => redact(item, key));
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  const record = value as Record<string, unknown>;
  if (typeof record['text'] === 'string' && typeof record['numerator'] === 'bigint') return record['text'];
  if (typeof record['matches'] === 'function') return `${String(record['name'])}${String(record['op'])}${JSON.stringify(record['value'])}`;
  if (value instanceof Map) return redact(Object.fromEntries(value), key);
  if (value instanceof Set) return redact([...value], key);
  const inHeaders = key === 'headers';
  return Object.fromEntries(
    Object.entries(record).map(([name, inner]) => [name, inHeaders && inner !== null ? HIDDEN : redact(inner, name)]),
  );
}

/** As `redact`, also without the addresses at which people are reached: those read them who may change them. */
export const redactContacts = (value: unknown): unknown => withoutContacts(redact(value), false);

function withoutContacts(value: unknown, isContact: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutContacts(item, isContact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isContact && name === 'to' && inner !== undefined ? HIDDEN : withoutContacts(inner, name === 'contacts'),
    ]),
  );
}

/** Headers of an answer that carry what somebody is let in by, besides those that are called like a secret. */
const SECRET_HEADER = /cookie|auth(entication)?-info|session|csrf|xsrf|signature/i;

/** The value of a header that somebody sent us, for showing: none where it lets somebody in, else without what is secret by its form. */
export const redactHeader = (name: string, value: string): string =>
  SECRET_HEADER.test(name) ? HIDDEN : String(redact(value, name.toLowerCase().replaceAll('-', '_')));

/** An address without what is before its host, its query, and long segments of its path; any other text, and one without those, as it is. */
export function redactUrl(text: string): string {
  if (!/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  // As with a variable in place of its port; `${PORT:?…}` is no query.
  if (!URL.canParse(text)) return text.replace(/:\/\/[^\s/?#@]*@/, `://${HIDDEN}@`).replace(/(?<!:)\?[^#]*/, `?${HIDDEN}`);
  const url = new URL(text);
  const path = url.pathname
    .split('/')
    .map((segment) => (segment.length >= MIN_SECRET_SEGMENT ? HIDDEN : segment))
    .join('/');
  const account = url.username === '' && url.password === '' ? '' : `${HIDDEN}@`;
  const query = url.search === '' ? '' : `?${HIDDEN}`;
  if (account === '' && query === '' && path === url.pathname) return text;
  return `${url.protocol}//${account}${url.host}${path}${query}`;
}
