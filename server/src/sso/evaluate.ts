import type { Role } from '../platform/http/contract.ts';
import type { Claims, ProviderConfig } from './contract.ts';

export type Admission =
  | { readonly kind: 'admitted'; readonly role: Role; readonly because: string }
  | { readonly kind: 'no_role'; readonly because: string };

/** The role that a person's groups give: of those written in the configuration the first that they are in, else the default. */
export function admissionOf({ groups }: Claims, { roles, default_role: fallback, groups_claim: claim }: ProviderConfig): Admission {
  const held = new Set(groups);
  const found = Object.entries(roles).find(([group]) => held.has(group));
  if (found !== undefined) return { kind: 'admitted', role: found[1], because: `the group ${found[0]}` };
  if (fallback !== undefined) return { kind: 'admitted', role: fallback, because: 'default_role' };
  const said = groups.length === 0 ? `the claim ${claim} names no group` : `none of the ${groups.length} groups in ${claim} has a role`;
  return { kind: 'no_role', because: `${said}, and there is no default_role` };
}

const MAX_NAME_CHARS = 100;
const MAX_GROUPS = 1_000;
const MAX_GROUP_CHARS = 300;

/** The part of ID token and user info that is used. `userInfo` counts only where the ID token is silent. */
export function claimsOf(
  idToken: Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string },
  userInfo: Readonly<Record<string, unknown>>,
  groupsClaim: string,
): Claims {
  const text = (key: string): string | undefined => {
    const value = idToken[key] ?? userInfo[key];
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const name = text('preferred_username') ?? text('name') ?? text('email') ?? idToken.sub;
  return {
    issuer: idToken.iss,
    subject: idToken.sub,
    name: name.normalize('NFKC').replace(/\p{C}/gu, '').slice(0, MAX_NAME_CHARS) || 'person',
    groups: groupsIn(idToken[groupsClaim] ?? userInfo[groupsClaim]),
  };
}

/** Providers send a list, or one group as a text. */
function groupsIn(value: unknown): readonly string[] {
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return list.filter((group): group is string => typeof group === 'string' && group.length <= MAX_GROUP_CHARS).slice(0, MAX_GROUPS);
}
