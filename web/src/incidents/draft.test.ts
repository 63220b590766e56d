import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentRules } from '../api/incidents.ts';
import { draftOf, freshId, moved, rulesOf } from './draft.ts';

const RULES: IncidentRules = {
  open: [{ id: 'a', match: [{ name: 'alertname', op: '=~', value: 'High.*' }], why: 'x', severities: ['critical'], opens: false }],
  categories: [{ id: 'b', match: [], why: '', category: 'data' }],
  severities: [{ id: 'c', match: [], why: '', min_services: 5, severity: 'emergency' }],
  escalation: [
    {
      id: 'd',
      audience: 'executive',
      severities: ['emergency'],
      after_ms: 900_000,
      until: 'mitigated',
      contacts: [{ channel: 'mail', to: 'x@y.example' }, { channel: 'chat' }],
    },
  ],
  resolve_after_ms: 600_000,
};

test('rules are shown in a form and written from it as they were', () => {
  const draft = draftOf(RULES);
  assert.equal(draft.open[0]?.match, 'alertname=~"High.*"');
  assert.equal(draft.escalation[0]?.after, '15m');
  assert.deepEqual(rulesOf(draft), { ok: true, value: RULES });
  assert.deepEqual(rulesOf({ ...draft, resolveAfter: ' ' }), { ok: true, value: { ...RULES, resolve_after_ms: null } });
});

test('what cannot be read is said with the rule that it stands in', () => {
  const draft = draftOf(RULES);
  const faultOf = (change: Partial<typeof draft>): string => {
    const read = rulesOf({ ...draft, ...change });
    return read.ok ? '' : read.error;
  };
  const [rule] = draft.open;
  assert.ok(rule !== undefined);
  assert.match(faultOf({ open: [{ ...rule, match: 'severity' }] }), /^Rule a: not a matcher/);
  assert.match(faultOf({ open: [{ ...rule, severities: [] }] }), /^Rule a: choose a severity/);
  assert.match(faultOf({ resolveAfter: 'soon' }), /^Rule end: /);
});

test('rules change places with their neighbours, and new ones have a name of their own', () => {
  assert.deepEqual(moved(['a', 'b', 'c'], 1, -1), ['b', 'a', 'c']);
  assert.deepEqual(moved(['a', 'b'], 1, 1), ['a', 'b']);
  assert.equal(freshId([{ id: 'rule-2' }]), 'rule-3');
});
