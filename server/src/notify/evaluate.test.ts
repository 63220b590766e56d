import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AlertView } from '../alerting/contract.ts';
import { type Flush, type Member, type Told, outcomeOf } from './evaluate.ts';
import { runPipeline } from './pipeline.ts';
import type { Group } from './route.ts';

const GROUP: Group = {
  id: 'hook {}:{}',
  groupKey: '{}:{}',
  receiver: 'hook',
  channel: 'hook',
  intervals: { mute: [], active: [] },
  groupLabels: {},
  groupWaitMs: 0,
  groupIntervalMs: 0,
  repeatIntervalMs: 3_600_000,
};
const COOLDOWN_MS = 60_000;

function view(fingerprint: string, changes: Partial<AlertView>): AlertView {
  return {
    id: fingerprint,
    fingerprint,
    kind: 'rule',
    rule: 'R',
    alertname: 'A',
    state: 'firing',
    condition: 'firing',
    severity: 'critical',
    labels: { alertname: 'A', instance: fingerprint },
    annotations: {},
    value: 1,
    active_at_ms: 0,
    keep_firing_since_ms: null,
    starts_at_ms: 0,
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
    ...changes,
  };
}

/** A group as the store keeps it, flushed by hand; `heard` is what a receiver knows. */
class GroupModel {
  nowMs = 0;
  nextAtMs: number | null = null;
  told: Told = { atMs: null, firing: new Set() };
  readonly members = new Map<string, Member>();
  readonly heard = new Map<string, 'firing' | 'resolved'>();
  messages = 0;

  change(fingerprint: string, changes: Partial<AlertView>): void {
    const before = this.members.get(fingerprint);
    this.members.set(fingerprint, {
      alert: view(fingerprint, changes),
      cooldownMs: COOLDOWN_MS,
      announcedAtMs: before?.announcedAtMs ?? null,
    });
    this.flush();
  }

  flush(): Flush {
    const flush = runPipeline({
      group: GROUP,
      sendResolved: true,
      nowMs: this.nowMs,
      escalated: false,
      told: this.told,
      members: [...this.members.values()],
      held: { silenced: () => undefined, inhibited: () => undefined, flapping: () => undefined, resting: () => undefined },
      muted: [],
      verdict: { kind: 'skip', cause: 'undecided' },
      nextAtMs: null,
    });
    const outcome = outcomeOf(flush);
    if (flush.verdict.kind === 'send') {
      this.messages++;
      for (const alert of outcome.messageAlerts) {
        const status = alert.condition === 'firing' ? 'firing' : 'resolved';
        if (status === 'resolved') assert.equal(this.heard.get(alert.fingerprint), 'firing', 'a resolve follows a fire');
        this.heard.set(alert.fingerprint, status);
      }
    }
    for (const { fingerprint } of outcome.announced) {
      const member = this.members.get(fingerprint);
      if (member !== undefined) this.members.set(fingerprint, { ...member, announcedAtMs: this.nowMs });
    }
    for (const { fingerprint } of outcome.forgotten) this.members.delete(fingerprint);
    this.told = outcome.told;
    this.nextAtMs = flush.nextAtMs;
    return flush;
  }

  /** Time passes; the group is looked at when it asked for it. */
  pass(lengthMs: number): void {
    const untilMs = this.nowMs + lengthMs;
    for (let rounds = 0; this.nextAtMs !== null && this.nextAtMs <= untilMs; rounds++) {
      assert.ok(rounds < 1_000, 'the group asks to be looked at without end');
      this.nowMs = Math.max(this.nowMs, this.nextAtMs);
      this.flush();
    }
    this.nowMs = untilMs;
  }
}

const change = fc.record({
  waitMs: fc.integer({ min: 0, max: 50_000 }),
  fingerprint: fc.constantFrom('a', 'b', 'c'),
  kind: fc.constantFrom('fire', 'resolve', 'acknowledge', 'snooze', 'suppress'),
});
type Change = { readonly waitMs: number; readonly fingerprint: string; readonly kind: string };

function play(model: GroupModel, { waitMs, fingerprint, kind }: Change): void {
  model.pass(waitMs);
  const before = model.members.get(fingerprint)?.alert;
  const firing = before?.condition === 'firing';
  if (kind === 'fire' && !firing) model.change(fingerprint, {});
  if (!firing || before === undefined) return;
  if (kind === 'resolve') model.change(fingerprint, { ...before, condition: 'resolved', ends_at_ms: model.nowMs });
  if (kind === 'acknowledge') model.change(fingerprint, { ...before, acknowledged_at_ms: model.nowMs, acknowledged_by: 'anne' });
  if (kind === 'snooze') model.change(fingerprint, { ...before, snoozed_until_ms: model.nowMs + 30_000 });
  if (kind === 'suppress') model.change(fingerprint, { ...before, suppressed_at_ms: model.nowMs, suppressed_by: 'anne' });
}

describe('whatever happens to the alerts of a group', () => {
  it('its receiver hears each fire before its resolve, and in the end believes what is true', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const model = new GroupModel();
        for (const one of changes) play(model, one);
        model.pass(COOLDOWN_MS + 30_001);
        for (const fingerprint of ['a', 'b', 'c']) {
          const alert = model.members.get(fingerprint)?.alert;
          const heard = model.heard.get(fingerprint);
          if (alert === undefined || alert.condition !== 'firing')
            assert.notEqual(heard, 'firing', `${fingerprint} ended and nobody said so`);
          else if (alert.suppressed_at_ms === null && alert.acknowledged_at_ms === null)
            assert.equal(heard, 'firing', `${fingerprint} fires and nobody said so`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is kept about a group in which everything has ended', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const model = new GroupModel();
        for (const one of changes) play(model, one);
        for (const fingerprint of ['a', 'b', 'c']) play(model, { waitMs: 1, fingerprint, kind: 'resolve' });
        model.pass(COOLDOWN_MS + 1);
        assert.deepEqual([model.members.size, model.told.firing.size, model.nextAtMs], [0, 0, null]);
      }),
    );
  });

  it('one fingerprint is announced at most once per cooldown', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 2, maxLength: 30 }), (gaps) => {
        const model = new GroupModel();
        gaps.forEach((waitMs, i) => play(model, { waitMs, fingerprint: 'a', kind: i % 2 === 0 ? 'fire' : 'resolve' }));
        const windows = Math.floor((model.nowMs - (gaps[0] ?? 0)) / COOLDOWN_MS) + 1;
        assert.ok(model.messages <= 2 * windows, `${model.messages} messages in ${windows} cooldowns`);
      }),
    );
  });
});
