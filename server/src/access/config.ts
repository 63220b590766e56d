import { HOUR_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { factorConfig } from '../factors/contract.ts';
import { SHIPPED_ROLES } from './contract.ts';
import { rolesConfig } from '../roles/contract.ts';
import { duration } from '../platform/config/fields.ts';
import { providersConfig } from '../sso/contract.ts';

/** Who may come in, and how. */
export const accessConfig = z
  .strictObject({
    /** Names and passwords beside identity providers. `nines serve` cannot shut everybody out: without a provider it must stay on. */
    password_login: z.boolean().default(true),
    tokens: z
      .strictObject({
        /** The longest life of a new API token; without it tokens may live until they are revoked. */
        max_life: duration({ minMs: HOUR_MS }).optional(),
      })
      .prefault({}),
    /** OpenID Connect. */
    oidc: providersConfig,
    /** Roles beside the shipped ones. */
    roles: rolesConfig,
    ...factorConfig,
  })
  .refine(({ password_login: password, oidc }) => password || oidc.length > 0, {
    path: ['password_login'],
    error: 'without an identity provider in access.oidc nobody could sign in',
  })
  .superRefine(({ oidc, roles }, context) => {
    const known = new Set([...SHIPPED_ROLES, ...roles].map(({ id }) => id));
    oidc.forEach((provider, index) => {
      const named: [role: string, path: string[]][] = Object.entries(provider.roles).map(([group, role]) => [role, ['roles', group]]);
      if (provider.default_role !== undefined) named.push([provider.default_role, ['default_role']]);
      for (const [role, path] of named) {
        if (known.has(role)) continue;
        const message = `there is no role "${role}": name a shipped one or one of access.roles`;
        context.addIssue({ code: 'custom', message, path: ['oidc', index, ...path] });
      }
    });
  })
  .prefault({});
