import { type Result, err, ok } from '@nines/base/result.ts';
import { SEAL_BYTES, KEY_BYTES, seal } from '@nines/tsdb/cipher.ts';
import type { Disk } from '@nines/tsdb/contract.ts';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';
import type { MasterKey } from './master-key.ts';

/** `keys.json`: the data key, wrapped by the operator's key; drawn in docs/format/keys.md. */
export const ENVELOPE_FILE = 'keys.json';
const FORMAT = 1;

const envelopeSchema = z.object({
  format: z.literal(FORMAT),
  key_id: z.string().regex(/^[0-9a-f]{16}$/),
  wrapped: z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/),
  created_at_ms: z.int().nonnegative(),
  wrapped_at_ms: z.int().nonnegative(),
});
export type Envelope = z.output<typeof envelopeSchema>;

/** The error says what is wrong with the text. */
export function parseEnvelope(text: string): Result<Envelope, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('it is no JSON');
  }
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) return err(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return ok(parsed.data);
}

export function wrap(dataKey: Uint8Array, key: MasterKey, at: { readonly createdAtMs: number; readonly nowMs: number }): Envelope {
  const head = { format: FORMAT, key_id: key.id, created_at_ms: at.createdAtMs, wrapped_at_ms: at.nowMs } as const;
  return { ...head, wrapped: Buffer.from(seal(key.wrapping, dataKey, boundOf(head))).toString('base64') };
}

/** The data key; undefined when the envelope is damaged or of another key. */
export function unwrap(envelope: Envelope, key: MasterKey): Uint8Array | undefined {
  const sealed = new Uint8Array(Buffer.from(envelope.wrapped, 'base64'));
  if (envelope.key_id !== key.id || sealed.length !== KEY_BYTES + SEAL_BYTES) return undefined;
  return key.wrapping.open(sealed, boundOf(envelope));
}

const boundOf = ({ format, key_id, created_at_ms, wrapped_at_ms }: Omit<Envelope, 'wrapped'>): Uint8Array =>
  new TextEncoder().encode(`${format} ${key_id} ${created_at_ms} ${wrapped_at_ms}`);

/** Puts the envelope in the place of the one before. After a cut at any instant one of the two is there, whole. */
export async function writeEnvelope(disk: Disk, envelope: Envelope): Promise<void> {
  await replaceFile(disk, ENVELOPE_FILE, `${JSON.stringify(envelope, null, 2)}\n`);
}
