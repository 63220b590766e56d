import { DEFAULT_TEAM } from '@nines/server/platform/records/contract.ts';
import type { Actor } from '@nines/server/platform/http/contract.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';

/** The program that this library is part of, in the audit log and in what it makes. Whoever runs code here may do everything. */
export const PROGRAM: Actor = {
  kind: 'system',
  id: 'library',
  name: 'the program around this library',
  role: 'administrator',
  teamId: DEFAULT_TEAM,
  scope: FULL_SCOPE,
};
