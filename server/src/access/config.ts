import { z } from 'zod';
import { providersConfig } from '../sso/contract.ts';

/** Who may come in, and how. */
export const accessConfig = z
  .strictObject({
    /** Names and passwords beside identity providers. `nines serve` cannot shut everybody out: without a provider it must stay on. */
    password_login: z.boolean().default(true),
    /** OpenID Connect. */
    oidc: providersConfig,
  })
  .refine(({ password_login: password, oidc }) => password || oidc.length > 0, {
    path: ['password_login'],
    error: 'without an identity provider in access.oidc nobody could sign in',
  })
  .prefault({});
