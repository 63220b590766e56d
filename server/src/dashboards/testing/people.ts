import assert from 'node:assert/strict';
import { parseScope } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import type { Actor } from '../../platform/http/contract.ts';

export const scopeOf = (text: string): Scope => {
  const parsed = parseScope(text);
  return parsed.ok ? parsed.value : assert.fail(parsed.error);
};

/** An operator, of everything unless told otherwise. */
export const actor = (name: string, scope: Scope = FULL_SCOPE): Actor => ({
  kind: 'user',
  id: `u-${name}`,
  name,
  role: 'operator',
  teamId: 'default',
  scope,
});
