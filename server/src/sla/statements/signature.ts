import { createHash } from 'node:crypto';
import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import { z } from 'zod';
import { type PublicKey, type Signer, isSignedBy, keyIdOf } from '../../platform/signing/signer.ts';

/**
 * Signed documents. The signature is that of the whole document in canonical JSON (RFC 8785) without the field
 * `signature.value` alone, so that anyone can check it: take that field out, write the rest canonically, verify. The digests
 * of the parts, which the signature covers too, tell which part was altered. Drawn in docs/format/statement.md.
 */
export type Signature = PublicKey & {
  readonly algorithm: 'Ed25519';
  /** SHA-256 of the canonical JSON of each other field of the document, hexadecimal. */
  readonly digests: Readonly<Record<string, string>>;
  /** 64 bytes, base64url. */
  readonly value: string;
};
export type Signed<T> = T & { readonly signature: Signature };

/** A larger file is no statement. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

const canonical = (value: unknown): string => canonicalJson(value as Json);
export const digestOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

export function signed<T extends object>(document: T, signer: Signer): Signed<T> {
  const digests = Object.fromEntries(
    Object.entries(document)
      .filter(([, part]) => part !== undefined)
      .map(([name, part]) => [name, digestOf(part)]),
  );
  const block = { algorithm: 'Ed25519', key_id: signer.key_id, public_key: signer.public_key, digests } as const;
  return { ...document, signature: { ...block, value: signer.sign(canonical({ ...document, signature: block })) } };
}

/** Whose signatures count. `none`: nobody said, so that the file's own key is all there is. */
export type Trust = { readonly kind: 'none' } | { readonly kind: 'keys'; readonly keys: readonly PublicKey[] };

export type Verdict =
  | { readonly kind: 'verified'; readonly keyId: string; readonly isPinned: boolean; readonly document: Readonly<Record<string, unknown>> }
  /** `parts`: the fields that are not what was signed. */
  | { readonly kind: 'altered'; readonly parts: readonly string[] }
  | { readonly kind: 'unknown_key'; readonly keyId: string }
  | { readonly kind: 'unreadable'; readonly problem: string };

const signatureSchema = z.strictObject({
  algorithm: z.literal('Ed25519'),
  key_id: z.string(),
  public_key: z.string(),
  digests: z.record(z.string(), z.string()),
  value: z.string(),
});

/** Whether a document is what was signed, and by whom. White space and the order of keys may have changed: the data count. */
export function verifySigned(text: string, trust: Trust): Verdict {
  const read = readDocument(text);
  if ('problem' in read) return { kind: 'unreadable', problem: read.problem };
  const { document, signature } = read;
  const { value, ...block } = signature;
  const isWhole =
    keyIdOf(signature.public_key) === signature.key_id &&
    isSignedBy(signature.public_key, canonical({ ...document, signature: block }), value);
  if (!isWhole) return { kind: 'altered', parts: alteredParts(document, signature) };
  const isKnown = trust.kind === 'keys' && trust.keys.some((key) => key.public_key === signature.public_key);
  if (trust.kind === 'keys' && !isKnown) return { kind: 'unknown_key', keyId: signature.key_id };
  return { kind: 'verified', keyId: signature.key_id, isPinned: isKnown, document };
}

function alteredParts(document: Readonly<Record<string, unknown>>, { digests }: Signature): readonly string[] {
  const names = new Set([...Object.keys(document).filter((name) => name !== 'signature'), ...Object.keys(digests)]);
  const parts = [...names].filter((name) => document[name] === undefined || digestOf(document[name]) !== digests[name]);
  // Every part fits its digest: then the digests, the key or the signature itself are not what they were.
  return parts.length > 0 ? parts.sort() : ['signature'];
}

function readDocument(
  text: string,
): { readonly document: Readonly<Record<string, unknown>>; readonly signature: Signature } | { readonly problem: string } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { problem: 'it is no JSON' };
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return { problem: 'it is no JSON object' };
  if (hasBoundless(document)) return { problem: 'it has a number that is too large for any reader' };
  const twice = repeatedKey(text);
  if (twice !== undefined) return { problem: `the key "${twice}" stands twice in one object, so that readers may see different data` };
  const parsed = signatureSchema.safeParse((document as { readonly signature?: unknown }).signature);
  if (!parsed.success) return { problem: 'it has no signature of a known form' };
  return { document: document as Readonly<Record<string, unknown>>, signature: parsed.data };
}

/** Whether a number of the text is beyond all doubles: `JSON.parse` makes it infinite, which has no canonical form. */
function hasBoundless(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasBoundless);
}

/** The first key that one object of a valid JSON text has twice. `JSON.parse` keeps the last one, other readers the first. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g);
  for (const [token, colon] of tokens) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
