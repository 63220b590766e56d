import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

type Interval = { readonly from_at_ms: number; readonly to_at_ms: number; readonly state: string; readonly unknown_reason?: string };
type Timeline = { readonly intervals: readonly Interval[]; readonly buckets: Readonly<Record<string, number>> };
type Matrix = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };

/** Interval 1 s and timeout 500 ms: a result speaks for 1.5 s. */
const VALID_MS = 1_500;
const CONFIG = (port: number): string => `services:
  - id: shop
    checks: [{ id: shop-http, kind: http, url: 'http://127.0.0.1:${port}/', interval: 1s, timeout: 500ms }]
  - { id: top, composite: { all: [shop] } }
`;

/** The instants of the results that were stored, ascending. */
async function results(nines: Nines): Promise<readonly number[]> {
  const { json } = await nines.get<Matrix>(`/api/v1/query?query=${encodeURIComponent('probe_success{check="shop-http"}[10m]')}`);
  return (json.data.result[0]?.values ?? []).map(([seconds]) => Math.round(seconds * 1000));
}

async function timelineOf(nines: Nines, service: string, fromMs: number): Promise<Timeline> {
  const { json } = await nines.get<Timeline>(`/api/services/${service}/timeline?from=${fromMs / 1000}`);
  return json;
}

/** What is unknown must be exactly where results stopped speaking, to the millisecond; nothing else may be. */
function assertGaps(timeline: Timeline, at: readonly number[], reasons: readonly string[]): void {
  const expected = at.flatMap((atMs, i) => {
    const before = at[i - 1];
    return before === undefined || atMs - before <= VALID_MS ? [] : [[before + VALID_MS, atMs]];
  });
  const last = at.at(-1) ?? 0;
  const found = timeline.intervals.filter(({ state, from_at_ms: fromMs }) => state === 'unknown' && fromMs < last);
  assert.deepEqual(
    found.map((one) => [one.from_at_ms, one.to_at_ms]),
    expected,
  );
  const longest = found.toSorted((a, b) => b.to_at_ms - b.from_at_ms - (a.to_at_ms - a.from_at_ms))[0];
  assert.ok(reasons.includes(longest?.unknown_reason ?? ''), `${longest?.unknown_reason} is none of ${reasons.join(', ')}`);
  assert.ok(
    timeline.intervals.every(({ state }) => state === 'up' || state === 'unknown'),
    'nothing was invented',
  );
}

/** Results from before `fromMs` are not asked about: the window begins with the first one. */
async function assertLedger(nines: Nines, firstMs: number, reasons: readonly string[]): Promise<void> {
  const at = (await results(nines)).filter((atMs) => atMs >= firstMs);
  for (const service of ['shop', 'top']) assertGaps(await timelineOf(nines, service, firstMs), at, reasons);
}

const someResults = (nines: Nines, count: number): Promise<readonly number[]> =>
  poll(`${count} results`, async () => {
    const at = await results(nines);
    return at.length >= count ? at : undefined;
  });

test('kill -9 of the monitor, and a monitor that stood still, leave exactly their gap unknown', { timeout: 600_000 }, async (t) => {
  const target = createServer((_request, response) => response.end('ok'));
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  t.after(() => target.close());
  const config = CONFIG((target.address() as AddressInfo).port);
  let nines = await startNines({ config });
  t.after(() => nines[Symbol.asyncDispose]());
  const before = await someResults(nines, 4);
  const firstMs = before[0] ?? 0;
  await nines.kill();
  // Longer than a result speaks, so that there is a gap.
  await new Promise((resolve) => setTimeout(resolve, 3 * VALID_MS));
  nines = await startNines({ folder: nines.folder, config });
  await someResults(nines, before.length + 3);
  await poll('the gap to be told', async () =>
    (await timelineOf(nines, 'shop', firstMs)).intervals.some(({ state }) => state === 'unknown'),
  );
  await assertLedger(nines, firstMs, ['monitor_down']);

  nines.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const standing = Date.now();
  nines.child.kill('SIGCONT');
  const stoppedFrom = (await someResults(nines, before.length + 3)).findLast((atMs) => atMs < standing - 10_000) ?? 0;
  await poll('results after it stood still', async () => (await results(nines)).filter((atMs) => atMs > standing).length >= 3);
  await assertLedger(nines, stoppedFrom, ['monitor_down']);
});
