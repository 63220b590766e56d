import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyView } from '../api/escalation.ts';
import { EMPTY, draftOf, policyOf, targetOf } from './policy-draft.ts';

test('a policy is shown in a form and written from it as it was, with what the form does not ask for', () => {
  const view: PolicyView = {
    id: 'night',
    name: 'Night',
    origin: 'ui',
    revision: 3,
    levels: [
      { after_ms: 0, targets: [{ channel: 'mail', to: 'a@b.example' }], reaches: [], notes: [] },
      { after_ms: 900_000, targets: [{ all: 'channels' }], reaches: [], notes: [] },
    ],
    repeat: { times: 2, every_ms: 3_600_000 },
    hours: { zone: 'Europe/Berlin', weekly: {} },
    outside: 'wait',
    severities: [],
    applies: true,
  };
  assert.deepEqual(policyOf(draftOf(view)), {
    id: 'night',
    name: 'Night',
    levels: [
      { after: '0s', targets: [{ channel: 'mail', to: 'a@b.example' }] },
      { after: '15m', targets: [{ all: 'channels' }] },
    ],
    repeat: { times: 2, every: '1h' },
    hours: { zone: 'Europe/Berlin', weekly: {} },
    outside: 'wait',
  });
});

test('a new one gets its id from its name; levels that tell nobody are left out', () => {
  const draft = {
    ...EMPTY,
    name: 'Night watch',
    levels: [
      { after: '', targets: [targetOf('person anne b')] },
      { after: '5m', targets: [] },
    ],
  };
  const { id, levels, repeat } = policyOf({ ...draft, times: 'x' });
  assert.equal(id, 'night-watch');
  assert.deepEqual(levels, [{ after: '0s', targets: [{ person: 'anne b' }] }]);
  assert.equal(repeat?.times, 0);
  assert.deepEqual(targetOf('all channels'), { all: 'channels' });
});
