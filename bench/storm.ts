/**
 * What a storm of alerts costs, and what the first alert of another service has to wait behind it.
 *   node bench/storm.ts [--alerts 100000] [--services 200]
 * One evaluation finds that many new alerts at once, over a state database on disk. While it is stored, another rule fires for a service of
 * its own; both go to a channel that takes everything. Then the storm ends in one evaluation.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { epochMs, ms } from '../packages/base/src/units.ts';
import { labelsOf } from '../packages/model/src/labels.ts';
import { type Evaluation } from '../server/src/alerting/contract.ts';
import { createAlerting } from '../server/src/alerting/service.ts';
import { createSelfMetrics } from '../server/src/collect/self.ts';
import { channelsConfig, routingConfig } from '../server/src/notify/config.ts';
import type { Attempt, Channel } from '../server/src/notify/contract.ts';
import { createRouter } from '../server/src/notify/route.ts';
import { NotifyService } from '../server/src/notify/service.ts';
import { createBreath } from '../server/src/platform/breath.ts';
import { createBus } from '../server/src/platform/bus.ts';
import { realClock } from '../server/src/platform/clock.ts';
import { migrate } from '../server/src/platform/db/migrate.ts';
import { openDb } from '../server/src/platform/db/open.ts';
import { createIds } from '../server/src/platform/ids.ts';
import { createOutbox } from '../server/src/platform/records/outbox.ts';
import { createTestSecrets } from '../server/src/platform/secrets/testing/secrets.ts';
import { startLoop } from '../server/src/platform/loop.ts';

const { values: flags } = parseArgs({
  options: { alerts: { type: 'string', default: '100000' }, services: { type: 'string', default: '200' } },
});
const ALERTS = Number(flags.alerts);
const SERVICES = Number(flags.services);
const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-storm-'));
const clock = realClock;
const ids = createIds(clock);
const db = await openDb({ kind: 'sqlite', path: path.join(dir, 'state.db') });
await migrate(db, clock.now());
const bus = createBus((thrown) => {
  throw thrown;
});
const sent: { readonly atMs: number; readonly attempt: Attempt }[] = [];
const channel: Channel = {
  deliver: async (attempt) => {
    sent.push({ atMs: clock.now(), attempt });
    return { kind: 'delivered', receipt: 'taken' };
  },
};
const configs = channelsConfig.parse([{ id: 'hook', kind: 'log' }]);
const shared = { db, clock, ids, logger: silent, bus, metrics: createSelfMetrics() };
const notify: NotifyService = new NotifyService({
  ...shared,
  settings: {
    router: createRouter(routingConfig.parse({ default: ['hook'] })),
    channels: new Map(configs.map((config) => [config.id, { config, channel }])),
    intervals: [],
    externalUrl: 'http://nines.example',
  },
});
const outbox = createOutbox({ ...shared, secrets: createTestSecrets(), random: Math.random, handlers: notify.handlers });
notify.connect(outbox);
const loop = startLoop({ clock, logger: silent, name: 'notify', everyMs: 1000, step: async (nowMs) => void (await notify.step(nowMs)) });
const alerting = await createAlerting({
  ...shared,
  yieldNow: createBreath(clock),
  notify: notify.notify,
  afterCommit: () => outbox.wake(),
});

const evaluation = (id: string, services: readonly string[]): Evaluation => ({
  rule: {
    id,
    kind: 'rule',
    alertname: id,
    severity: 'critical',
    forMs: ms(0),
    keepFiringForMs: ms(0),
    cooldownMs: ms(300_000),
    teamId: 'default',
  },
  atMs: epochMs(clock.now()),
  found: {
    kind: 'complete',
    holding: [],
    active: services.map((service, i) => ({
      labels: labelsOf({ alertname: id, service, severity: 'critical', instance: `10.0.${i >> 8}.${i & 255}:9100`, job: 'node' }),
      annotations: { summary: `${service} is down`, runbook: 'https://runbooks.example/down' },
      value: 1,
    })),
  },
});
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let worstMs = 0;
let lastMs = performance.now();
const ticking = setInterval(() => {
  worstMs = Math.max(worstMs, performance.now() - lastMs);
  lastMs = performance.now();
}, 5);

async function measure(name: string, storm: Evaluation, other: string): Promise<void> {
  const startedMs = performance.now();
  const cpuBeforeMs = cpuMs();
  worstMs = 0;
  lastMs = performance.now();
  const stored = alerting.apply(storm);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const askedMs = clock.now();
  await alerting.apply(evaluation(other, ['billing']));
  const told = async (): Promise<number> => {
    for (;;) {
      const found = sent.find(({ attempt }) => attempt.message.alerts.some(({ labels }) => labels['alertname'] === other));
      if (found !== undefined) return found.atMs - askedMs;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const waitedMs = await told();
  await stored;
  const storedMs = performance.now() - startedMs;
  console.log(
    `${name}: stored after ${storedMs.toFixed(0)} ms, ${(cpuMs() - cpuBeforeMs).toFixed(0)} ms of CPU; the other service was told after ${waitedMs} ms; the loop was held ${worstMs.toFixed(0)} ms at most; ${sent.length} messages so far`,
  );
}
const services = Array.from({ length: ALERTS }, (_, i) => `s${i % SERVICES}`);
await measure('storm', evaluation('Down', services), 'Billing');
await measure('end', evaluation('Down', []), 'Ledger');
clearInterval(ticking);
await loop[Symbol.asyncDispose]();
await outbox[Symbol.asyncDispose]();
await db.close();
await fs.rm(dir, { recursive: true });
