import { existsSync, readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../../platform/replace-file.ts';

/** Who the agent is: its key, what the server signed, and whose server that is. Readable by its owner alone. */
export const IDENTITY_FILE = 'identity.json';

const identitySchema = z.strictObject({
  format: z.literal(1),
  server: z.string(),
  agent: z.string(),
  location: z.string(),
  /** PEM: the authority of the server, the agent's certificate, its private key. */
  authority: z.string(),
  certificate: z.string(),
  private_key: z.string(),
});
export type Identity = z.output<typeof identitySchema>;

/** The identity in the agent's directory; undefined before it joined. `AppError` `agent_identity_damaged`. */
export function readIdentity(dir: string): Identity | undefined {
  const path = join(dir, IDENTITY_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return identitySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (thrown) {
    const message = `${path} cannot be used; remove it and join again with a new token`;
    throw new AppError('unavailable', 'agent_identity_damaged', message, { cause: thrown });
  }
}

export const writeIdentity = (dir: string, identity: Identity): Promise<void> =>
  replaceFile(openDisk(dir), IDENTITY_FILE, `${JSON.stringify(identity, null, 2)}\n`);

/** A new Ed25519 key, both halves in PEM. */
export function makeKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
  };
}
