import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AlertView } from '../api/wire.ts';
import { belongs, questionOf, searchOfGroup } from './inbox-search.ts';
import { type AlertFact, type OpenList, alertsIn, readAgain, unreadWithin, withFacts, withStretch } from './inbox-state.ts';
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
const read = (...rows: readonly (AlertView | undefined)[]): OpenList => ({
  rows,
  read: new Map(rows.filter((row) => row !== undefined).map((row) => [row.id, row])),
});
const idsOf = ({ rows }: OpenList): string => rows.map((row) => row?.id ?? '-').join('');
/** The list after the fact, with a question mark when the server has to be asked. */
const after = (list: OpenList, fact: AlertFact): string => {
  const told = withFacts(list, [fact]);
  return `${idsOf(told.list)}${told.certain ? '' : '?'}`;
};

describe('a fact about one alert', () => {
  const critical = alert('c', { severity: 'critical' });
  const [b, a] = [alert('b', { starts_at_ms: NOW - 1 }), alert('a', { starts_at_ms: NOW - 5 })];
  const between = alert('n', { starts_at_ms: NOW - 3 });
  const least = alert('i', { severity: 'info' });
  it('changes it in its place, takes it out, or puts it where it belongs', () => {
    const list = read(critical, b, a);
    const changed = withFacts(list, [{ alert: alert('b', { state: 'acknowledged' }), belongs: true }]).list;
    assert.deepEqual([changed.rows[1]?.state, changed.read.get('b')?.state], ['acknowledged', 'acknowledged']);
    assert.equal(after(list, { alert: b, belongs: false }), 'ca');
    assert.equal(after(list, { alert: between, belongs: true }), 'cbna');
    assert.equal(after(list, { alert: alert('e', { severity: 'emergency' }), belongs: true }), 'ecba');
    assert.equal(after(list, { alert: least, belongs: true }), 'cbai');
    assert.equal(after(list, { alert: alert('o'), belongs: false }), 'cba');
    assert.equal(after(read(), { alert: b, belongs: true }), 'b');
  });
  it('asks the server about what may be among those that were not read', () => {
    const list = read(critical, b, undefined, undefined, a);
    assert.equal(after(list, { alert: between, belongs: true }), 'cb--a?');
    assert.equal(after(list, { alert: alert('o'), belongs: false }), 'cb--a?');
    assert.equal(after(list, { alert: alert('o'), belongs: undefined }), 'cb--a?');
    assert.equal(after(list, { alert: alert('e', { severity: 'emergency' }), belongs: true }), 'ecb--a?', 'it is shown all the same');
    assert.equal(after(list, { alert: alert('b', { state: 'acknowledged' }), belongs: true }), 'cb--a');
    assert.equal(after(read(b, undefined), { alert: least, belongs: true }), 'b-?');
  });
});

describe('a list that was read in parts', () => {
  const of = (names: string): readonly AlertView[] => names.split('').map((name) => alert(name));
  it('takes in stretches from any place, and knows what is still to be read', () => {
    const first = readAgain(undefined, { offset: 0, items: of('ab'), total: 7 });
    const both = withStretch(first, { offset: 5, items: of('fg'), total: 7 });
    assert.equal(idsOf(both), 'ab---fg');
    assert.deepEqual(unreadWithin(both, 0, 7), { offset: 2, limit: 3 });
    assert.deepEqual(unreadWithin(both, 1, 4), { offset: 2, limit: 2 });
    assert.equal(unreadWithin(both, 5, 100), undefined);
    assert.equal(idsOf(withStretch(both, { offset: 1, items: of('xab'), total: 6 })), '-xab-f', 'what moved stands once');
  });
  it('keeps what was read when it is read again somewhere else', () => {
    const list = readAgain(readAgain(undefined, { offset: 0, items: of('ab'), total: 4 }), { offset: 2, items: of('cd'), total: 4 });
    assert.equal(idsOf(list), '--cd');
    assert.deepEqual(
      alertsIn(list).map(({ id }) => id),
      ['c', 'd', 'a', 'b'],
    );
    assert.deepEqual(
      alertsIn(withFacts(list, [{ alert: alert('a'), belongs: false }]).list).map(({ id }) => id),
      ['c', 'd', 'b'],
    );
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
