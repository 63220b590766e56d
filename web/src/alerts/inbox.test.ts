import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AlertView } from '../api/wire.ts';
import { belongs, questionOf, searchOfGroup } from './inbox-search.ts';
import { type AlertPage, withFact } from './inbox-state.ts';
import { plainText } from './plain-text.ts';
import { draftForAlerts, draftOf, proposedMatchers, writtenOf } from './silence-draft.ts';
import { undoOf } from './undo.ts';

const NOW = Date.UTC(2026, 10, 21);

const alert = (id: string, fields: Partial<AlertView> = {}): AlertView => ({
  id,
  fingerprint: id,
  kind: 'rule',
  rule: 'R',
  alertname: 'High',
  state: 'firing',
  condition: 'firing',
  severity: 'warning',
  labels: { alertname: 'High', instance: id, severity: 'warning' },
  annotations: {},
  value: 1,
  active_at_ms: NOW,
  starts_at_ms: NOW,
  keep_firing_since_ms: null,
  ends_at_ms: null,
  acknowledged_by: null,
  acknowledged_at_ms: null,
  suppressed_by: null,
  suppressed_at_ms: null,
  snoozed_until_ms: null,
  snoozed_until_resolved: false,
  assigned_to: null,
  held_back: null,
  generator_url: null,
  service: null,
  problem: null,
  flapping_since_ms: null,
  ...fields,
});
const idsOf = (pages: readonly AlertPage[]): readonly (readonly string[])[] => pages.map(({ items }) => items.map(({ id }) => id));

describe('a fact about one alert', () => {
  const pages: readonly AlertPage[] = [
    { items: [alert('c', { severity: 'critical' }), alert('b', { starts_at_ms: NOW - 1 })], next: 'x' },
    { items: [alert('a', { starts_at_ms: NOW - 5 })], next: null },
  ];
  it('changes it in its place, takes it out, or puts it where it belongs', () => {
    const changed = withFact(pages, { alert: alert('b', { state: 'acknowledged' }), belongs: true });
    assert.equal(changed[0]?.items[1]?.state, 'acknowledged');
    assert.deepEqual(idsOf(withFact(pages, { alert: alert('b'), belongs: false })), [['c'], ['a']]);
    assert.deepEqual(idsOf(withFact(pages, { alert: alert('n', { starts_at_ms: NOW - 3 }), belongs: true })), [
      ['c', 'b'],
      ['n', 'a'],
    ]);
    assert.deepEqual(idsOf(withFact(pages, { alert: alert('e', { severity: 'emergency' }), belongs: true })), [['e', 'c', 'b'], ['a']]);
    assert.deepEqual(idsOf(withFact(pages, { alert: alert('i', { severity: 'info' }), belongs: true })), [
      ['c', 'b'],
      ['a', 'i'],
    ]);
    assert.deepEqual(idsOf(withFact(pages, { alert: alert('o'), belongs: false })), idsOf(pages));
  });
  it('waits for the next page when it comes after all that was read', () => {
    const [first] = pages;
    assert.ok(first);
    assert.deepEqual(idsOf(withFact([first], { alert: alert('i', { severity: 'info' }), belongs: true })), [['c', 'b']]);
  });
});

describe('the address of the inbox', () => {
  it('decides about one alert as the server would, and says when it cannot', () => {
    const one = alert('a', { service: 'shop', assigned_to: 'ana', annotations: { summary: 'Kettle is cold' } });
    assert.equal(
      belongs(one, { service: 'shop', assigned: 'me', q: 'kettle', label: 'instance="a"', severity: 'info,warning' }, 'ana'),
      true,
    );
    assert.equal(belongs(one, { label: 'instance!="a"' }, 'ana'), false);
    assert.equal(belongs(one, { team: 'web' }, 'ana'), false);
    assert.equal(belongs(one, { label: 'instance=~"a|b"' }, 'ana'), undefined);
    assert.equal(belongs(one, { assigned: 'nobody' }, 'ana'), false);
    assert.equal(belongs(alert('b', { condition: 'resolved', state: 'resolved' }), {}, 'ana'), false);
  });
  it('finds one group with the filters that were there', () => {
    assert.deepEqual(questionOf(searchOfGroup({ group: 'label:rack', q: 'x' }, 'r"1')).label, 'rack="r\\"1"');
    assert.deepEqual(searchOfGroup({ group: 'service' }, ''), { label: 'service=""' });
    assert.deepEqual(questionOf({ team: 'web', label: 'instance="a"' }).label, ['instance="a"', 'team="web"']);
    assert.equal(questionOf({ team: 'web' }).label, 'team="web"');
    assert.deepEqual(searchOfGroup({ group: 'assigned', severity: 'info' }, ''), { severity: 'info', assigned: 'nobody' });
  });
});

describe('an undo', () => {
  it('touches only what the action changed, and gives back whoever had it', () => {
    const before = [alert('a'), alert('b', { acknowledged_at_ms: NOW }), alert('c', { assigned_to: 'bo' })];
    assert.deepEqual(undoOf({ name: 'acknowledge' }, before), [{ action: { name: 'unacknowledge' }, ids: ['a', 'c'] }]);
    assert.deepEqual(undoOf({ name: 'assign', assignee: 'ana' }, before), [
      { action: { name: 'assign', assignee: null }, ids: ['a', 'b'] },
      { action: { name: 'assign', assignee: 'bo' }, ids: ['c'] },
    ]);
    assert.deepEqual(undoOf({ name: 'snooze', for: '1h' }, [alert('d', { snoozed_until_resolved: true })]), [
      { action: { name: 'snooze', until: 'resolved' }, ids: ['d'] },
    ]);
    assert.deepEqual(undoOf({ name: 'resolve' }, before), []);
  });
});

describe('a silence from alerts', () => {
  it('matches what they have in common and the few values in which they differ', () => {
    assert.deepEqual(proposedMatchers([alert('a.1'), alert('b')]), [
      { name: 'alertname', op: '=', value: 'High' },
      { name: 'instance', op: '=~', value: 'a\\.1|b' },
    ]);
    assert.deepEqual(proposedMatchers([alert('a', { labels: { big: 'xxx… (70000 characters)' } })]), []);
  });
  it('is sent when it has matchers, an end and a reason, and keeps a start that nobody touched', () => {
    const draft = draftForAlerts([alert('a')], NOW);
    assert.equal(writtenOf(draft, undefined), undefined);
    const written = writtenOf({ ...draft, comment: 'new disk' }, undefined);
    assert.equal(written?.starts_at_ms, undefined);
    assert.equal(written?.ends_at_ms, NOW + 7_200_000);
    const silence = {
      id: 's',
      state: 'active' as const,
      matchers: [{ name: 'a', op: '=' as const, value: 'b' }],
      starts_at_ms: NOW + 7,
      ends_at_ms: NOW + 60_000,
      created_by: 'ana',
      comment: 'why',
      annotations: {},
      updated_at_ms: NOW,
    };
    assert.equal(writtenOf(draftOf(silence, NOW), silence)?.starts_at_ms, NOW + 7);
    assert.equal(draftOf({ ...silence, state: 'expired' }, NOW).id, undefined);
  });
});

it('text of others is cut, and what cannot be seen is written out', () => {
  assert.equal(plainText('a\u202eb\u0000c\nd', 99), 'a\\u202eb\\u0000c\nd');
  assert.equal(plainText('<b>x</b>', 99), '<b>x</b>');
  assert.equal(plainText('ab😀c', 3), 'ab…');
});
