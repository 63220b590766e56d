import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import { parsePublicKey } from '@nines/server/platform/signing/signer.ts';
import type { PublishedKey } from '@nines/server/platform/signing/signing-keys.ts';
import { MAX_DOCUMENT_BYTES, type Trust, type Verdict, verifySigned } from '@nines/server/sla/statements/signature.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

export type VerifyOptions = RemoteOptions & { readonly server?: string; readonly key?: string };

export async function publishedKeys(options: RemoteOptions): Promise<readonly PublishedKey[]> {
  const { items } = JSON.parse(await ask(options, '/api/statement-keys')) as { readonly items: readonly PublishedKey[] };
  return items;
}

/** Prints one line that says what the file is; anything but a statement as it was signed ends the command with 1. */
export async function verifyStatement(file: string, options: VerifyOptions): Promise<void> {
  const text = readStatement(file);
  const { trust, of } = await trustOf(options);
  const verdict = verifySigned(text, trust);
  if (verdict.kind !== 'verified') throw new CliFailure(EXIT.failed, `${file}: ${faultOf(verdict, of)}`);
  const pin = verdict.isPinned ? `signed by ${of}` : 'key not pinned: give --url or --key to know whose it is';
  writeData(`verified: ${subjectOf(verdict.document)}, key ${verdict.keyId}, ${pin}`);
}

function readStatement(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_DOCUMENT_BYTES) throw new Error(`it has ${size} bytes, and no statement has more than ${MAX_DOCUMENT_BYTES}`);
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}: ${messageOf(thrown)}`);
  }
}

/** A key that is given wins over a server: it needs nobody's answer. */
async function trustOf({ server, key, ...remote }: VerifyOptions): Promise<{ readonly trust: Trust; readonly of: string }> {
  if (key !== undefined) {
    const parsed = parsePublicKey(key);
    if (parsed === undefined)
      throw new CliFailure(EXIT.badInput, '--key: not a public key of Ed25519 (32 bytes in base64 or hexadecimal; see: nines sla keys)');
    return { trust: { kind: 'keys', keys: [parsed] }, of: 'the key that was given' };
  }
  const url = server ?? remote.url;
  if (url === undefined) return { trust: { kind: 'none' }, of: '' };
  return { trust: { kind: 'keys', keys: await publishedKeys({ ...remote, url }) }, of: url };
}

function faultOf(verdict: Exclude<Verdict, { kind: 'verified' }>, of: string): string {
  switch (verdict.kind) {
    case 'altered':
      return `altered after it was signed: ${verdict.parts.join(', ')}`;
    case 'unknown_key':
      return `signed by an unknown key (${verdict.keyId}), which is none of ${of}`;
    case 'unreadable':
      return `not a signed statement: ${verdict.problem}`;
  }
}

/** `shop-availability 2026-11-01T00:00:00.000Z to 2026-12-01T00:00:00.000Z, final, revision 2`. */
function subjectOf(document: Readonly<Record<string, unknown>>): string {
  const { id, period, finality, revision } = document as {
    readonly id?: unknown;
    readonly period?: { readonly from_at_ms?: number; readonly to_at_ms?: number };
    readonly finality?: unknown;
    readonly revision?: { readonly number?: number } | null;
  };
  const iso = (atMs: number | undefined): string => (atMs === undefined ? '?' : new Date(atMs).toISOString());
  const issued = revision === undefined || revision === null ? 'not issued' : `revision ${revision.number ?? '?'}`;
  return `${String(id)} ${iso(period?.from_at_ms)} to ${iso(period?.to_at_ms)}, ${String(finality)}, ${issued}`;
}
