import { z } from 'zod';

const MIN_VERSIONS = { '1.3': 'TLSv1.3', '1.2': 'TLSv1.2' } as const;
/** Names and addresses of a certificate of our own, beside those that the server knows itself. */
const MAX_NAMES = 100;

const settings = z
  .strictObject({
    /** The certificate, with those between it and its root, in PEM. Without files the server makes its own. */
    cert_file: z.string().min(1).optional(),
    key_file: z.string().min(1).optional(),
    /** Names and addresses that the server's own certificate is for, beside those it listens on. */
    names: z
      .array(z.string().regex(/^(?:\*\.)?[a-zA-Z0-9.-]{1,253}$|^[0-9a-fA-F:.]{2,45}$/, 'write a host name or an IP address'))
      .max(MAX_NAMES)
      .default([]),
    min_version: z
      .union([z.enum(['1.3', '1.2']), z.literal([1.3, 1.2])])
      .transform((version) => MIN_VERSIONS[String(version) as keyof typeof MIN_VERSIONS])
      .prefault('1.3'),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), 'cert_file and key_file belong together')
  .refine(
    ({ cert_file, names }) => cert_file === undefined || names.length === 0,
    'names belong to a certificate that the server makes itself',
  );

/** `auto` is a certificate of the server's own with every default. */
export const tlsConfig = z
  .union([z.literal('auto').transform(() => settings.parse({})), settings], { error: 'write auto, or cert_file and key_file' })
  .optional();
export type TlsConfig = NonNullable<z.output<typeof tlsConfig>>;
