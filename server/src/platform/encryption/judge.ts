import type { Envelope } from './envelope.ts';

/** What lies in a data directory, as far as it says something about encryption. */
export type Findings = {
  readonly envelope:
    | { readonly kind: 'absent' }
    | { readonly kind: 'damaged'; readonly problem: string }
    | { readonly kind: 'read'; readonly envelope: Envelope };
  /** A file that can only have been written with a key, and one that was written without. */
  readonly encryptedFile: string | undefined;
  readonly plainFile: string | undefined;
  /** A conversion got as far as moving files. */
  readonly converting: boolean;
};

export type Verdict =
  | { readonly kind: 'plain' }
  | { readonly kind: 'make' }
  | { readonly kind: 'open'; readonly envelope: Envelope }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string };

const refuse = (code: string, message: string): Verdict => ({ kind: 'refuse', code, message });

/** Whether the directory may be opened with the key (or without one), and in words why not and what to do. */
export function judgeKeys(dir: string, found: Findings, key: { readonly id: string; readonly origin: string } | undefined): Verdict {
  if (found.converting)
    return refuse(
      'encryption_unfinished',
      `The encryption of ${dir} was interrupted. Finish it: nines key encrypt --data ${dir} --key-file FILE`,
    );
  const { envelope, encryptedFile, plainFile } = found;
  if (envelope.kind === 'damaged')
    return refuse(
      'keys_damaged',
      `${dir}/keys.json is damaged (${envelope.problem}). Put it back from a backup; without it nothing can be read.`,
    );
  if (envelope.kind === 'read') return judgeEnvelope(dir, envelope.envelope, key);
  if (encryptedFile !== undefined)
    return refuse(
      'keys_missing',
      `${encryptedFile} is encrypted, but ${dir}/keys.json is missing. Put it back from a backup; without it nothing can be read.`,
    );
  if (key === undefined) return { kind: 'plain' };
  if (plainFile === undefined) return { kind: 'make' };
  return refuse(
    'not_encrypted',
    `The data in ${dir} is not encrypted (${plainFile}), but a key is configured. Encrypt it: nines key encrypt --data ${dir} --key-file FILE; or take "encryption" out of the configuration.`,
  );
}

function judgeEnvelope(dir: string, envelope: Envelope, key: { readonly id: string; readonly origin: string } | undefined): Verdict {
  if (key === undefined)
    return refuse(
      'key_missing',
      `The data in ${dir} is encrypted with the key ${envelope.key_id}, and none is configured. Name it: encryption: { key_file: FILE } or { key_env: NAME } in the configuration.`,
    );
  if (key.id !== envelope.key_id)
    return refuse(
      'wrong_key',
      `The data in ${dir} is encrypted with the key ${envelope.key_id}; ${key.origin} holds the key ${key.id}. Configure the first.`,
    );
  return { kind: 'open', envelope };
}
