import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { DAY_MS, type EpochMs, HOUR_MS, SECOND_MS, epochMs } from '@nines/base/units.ts';
import { timelineFrom } from '@nines/maths/slo/ledger.ts';
import type { State, Transition } from '@nines/maths/slo/types.ts';
import { createCipher } from '@nines/tsdb/cipher.ts';
import fc from 'fast-check';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import type { Ledger } from '../availability/contract.ts';
import type { Occurrence } from '../maintenance/contract.ts';
import { Board } from './board.ts';
import { type Announcement, statusPageSchema } from './contract.ts';
import { historyOf, lastDays } from './days.ts';
import { openShelf } from './shelf.ts';

/** A ledger whose history is written by hand and which can refuse to answer. */
class Histories implements Pick<Ledger, 'timeline' | 'current' | 'version'> {
  readonly #clock: ManualClock;
  readonly transitions: Transition[] = [];
  asked = 0;
  fails = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  add(state: State): void {
    const atMs = this.#clock.now();
    if (this.transitions.at(-1)?.state === state) return;
    const reason = state === 'unknown' ? ({ unknownReason: 'no_data' } as const) : {};
    this.transitions.push({ atMs, state, ...reason, lowMs: atMs, highMs: atMs, evidence: [] } as Transition);
  }

  async timeline(_service: string, fromMs: EpochMs, toMs: EpochMs) {
    this.asked++;
    if (this.fails) throw new Error('the database is locked');
    return timelineFrom(this.transitions, { fromMs, toMs, knownUntilMs: this.#clock.now() });
  }

  current() {
    const last = this.transitions.at(-1);
    return last === undefined
      ? ({ state: 'unknown', unknownReason: 'not_yet_monitored', sinceMs: this.#clock.now(), evidence: [] } as const)
      : { state: last.state, sinceMs: last.atMs, evidence: [] };
  }

  version(): number {
    return this.transitions.length;
  }
}

const page = statusPageSchema.parse({ id: 'shop', title: 'Shop', services: ['shop'], days: 14 });

function world(t: TestContext, options: { readonly clock?: ManualClock; readonly dir?: string; readonly sealed?: boolean } = {}) {
  const clock = options.clock ?? manualClock();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'board-'));
  if (options.dir === undefined) t.after(() => rmSync(dir, { recursive: true, force: true }));
  const ledger = new Histories(clock);
  const announcements: Announcement[] = [];
  const occurrences: Occurrence[] = [];
  const board = new Board({
    clock,
    logger: silentLogger,
    ledger,
    services: { get: () => undefined },
    maintenance: { occurrences: ({ fromMs, toMs }) => occurrences.filter((one) => one.fromMs < toMs && one.toMs > fromMs) },
    announcements: () => announcements,
    yieldNow: () => undefined,
    shelf: openShelf(dir, options.sealed === true ? createCipher(new Uint8Array(32)).key('pages') : undefined),
    urlOf: () => 'http://127.0.0.1/status/shop',
  });
  const html = (): string => board.written('shop')?.artefacts.get('')?.body.toString() ?? '';
  return { clock, dir, ledger, announcements, occurrences, board, html, standing: [{ spec: page, place: undefined, logo: undefined }] };
}

describe('the board', () => {
  it('shows what a ledger that is asked anew would say, whatever happened since it asked last', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            stepMs: fc.integer({ min: 1, max: 2 * DAY_MS }),
            state: fc.constantFrom<State>('up', 'degraded', 'down', 'unknown'),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        async (steps) => {
          const w = world(t);
          for (const { stepMs, state } of steps) {
            w.clock.jump(stepMs);
            w.ledger.add(state);
            const sight = await w.board.sightOf(page);
            const days = lastDays(w.clock.now(), page.days, page.zone);
            const timeline = await w.ledger.timeline('shop', days[0]?.fromMs ?? epochMs(0), w.clock.now());
            assert.deepEqual(sight.groups[0]?.services[0]?.history, historyOf(timeline, days, { maintenance: [], excluded: [] }));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('asks for past days once, until the history changes', async (t) => {
    const w = world(t);
    w.ledger.add('up');
    await w.board.configure(w.standing);
    const first = w.ledger.asked;
    await w.board.refresh();
    assert.equal(w.ledger.asked - first, 1, 'today alone');
    w.clock.jump(SECOND_MS);
    w.ledger.add('down');
    await w.board.refresh();
    assert.equal(w.ledger.asked - first, 3, 'past days and today');
  });

  it('goes on showing the last known state when the ledger does not answer, and says that it is old', async (t) => {
    const w = world(t);
    w.ledger.add('up');
    await w.board.configure(w.standing);
    assert.match(w.html(), /shop is up/);
    w.ledger.fails = true;
    w.ledger.add('down');
    w.board.wake();
    await w.clock.advance(61 * SECOND_MS);
    await w.board.step(w.clock.now());
    const written = w.board.written('shop');
    assert.ok(written !== undefined && w.board.isStale(written));
    assert.match(w.html(), /shop is up/);
    const page = written.artefacts.get('') ?? assert.fail('no page');
    assert.deepEqual(w.board.health(), { status: 'degraded', detail: 'not written anew: shop' });
    const stale = await w.board.staleOf(written, page);
    assert.match(stale.body.toString(), /The monitor is busy/);
    assert.notEqual(stale.etag, page.etag);
    w.ledger.fails = false;
    await w.board.refresh();
    assert.match(w.html(), /shop is down/);
    assert.equal(w.board.isStale(w.board.written('shop') ?? assert.fail('no page')), false);
    assert.deepEqual(w.board.health(), { status: 'ok', detail: '1 pages' });
  });

  it('shows after a start what was shown before, without asking anything', async (t) => {
    const before = world(t);
    before.ledger.add('degraded');
    await before.board.configure(before.standing);
    await before.board.keep(before.clock.now());
    const after = world(t, { clock: before.clock, dir: before.dir });
    after.ledger.fails = true;
    await after.board.configure(after.standing);
    assert.equal(after.html(), before.html());
    await after.board.configure([]);
    assert.deepEqual(readdirSync(join(after.dir, 'status-pages')), [], 'a page that is gone leaves nothing on the disk');
  });

  it('leaves nothing readable on the disk where the data are encrypted', async (t) => {
    const plain = world(t);
    await plain.board.configure(plain.standing);
    await plain.board.keep(plain.clock.now());
    // The same directory, encrypted since.
    const w = world(t, { sealed: true, dir: plain.dir, clock: plain.clock });
    await w.board.configure(w.standing);
    await w.board.keep(w.clock.now());
    const [file = '', ...others] = readdirSync(join(w.dir, 'status-pages'));
    assert.deepEqual(others, [], 'what lay there in the clear is gone');
    assert.doesNotMatch(Buffer.from(readFileSync(join(w.dir, 'status-pages', file), 'utf8'), 'base64').toString('latin1'), /shop|uptime/i);
    const again = world(t, { clock: w.clock, dir: w.dir, sealed: true });
    again.ledger.fails = true;
    await again.board.configure(again.standing);
    assert.equal(again.html(), w.html());
  });

  it('says that somebody works on a service while they do, and keeps what is about others to itself', async (t) => {
    const w = world(t);
    const nowMs = w.clock.now();
    w.ledger.add('down');
    const window = { window: 'move', name: 'Database move', suppressAlerts: true, plannedFromMs: nowMs, announcedAtMs: nowMs };
    w.occurrences.push({ ...window, services: ['shop', 'secret-service'], fromMs: nowMs, toMs: epochMs(nowMs + HOUR_MS) });
    w.occurrences.push({ ...window, name: 'Secret move', services: ['secret-service'], fromMs: nowMs, toMs: epochMs(nowMs + HOUR_MS) });
    const update = { id: 'u', state: 'investigating', text: 'Looking', atMs: nowMs, recordedAtMs: nowMs, by: 'secret-person' } as const;
    const matter = {
      id: 'a',
      title: 'Trouble',
      services: ['shop', 'secret-service'],
      updates: [update],
      withdrawnAtMs: null,
      withdrawnBy: null,
    };
    w.announcements.push({ ...matter, pages: ['shop'] }, { ...matter, id: 'b', title: 'Secret trouble', pages: ['other'] });
    await w.clock.advance(SECOND_MS);
    await w.board.configure(w.standing);
    const texts = [...(w.board.written('shop')?.artefacts.values() ?? [])].map(({ body }) => body.toString());
    assert.match(w.html(), /shop is being worked on/);
    assert.match(w.html(), /Trouble/);
    for (const text of texts) assert.doesNotMatch(text, /secret/i);
  });
});
