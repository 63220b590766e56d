import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import { startSmtp } from '../../../../test/harness/smtp.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { openMailers } from '../../notify/channels.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { channelsConfig } from '../../notify/contract.ts';
import { type OutboxMessage, toJson } from '../../platform/records/contract.ts';
import { SlaWorld } from '../testing/world.ts';
import { duePeriod, statementsConfig, unknownNames } from './schedule.ts';
import { StatementSender } from './sender.ts';
import { verifySigned } from './signature.ts';

/** The bytes of an attachment of a mail. */
function attached(mail: string, name: string): Buffer {
  const part = mail.split(/^--.*$/m).find((one) => one.includes(`filename=${name}`) || one.includes(`filename="${name}"`));
  return Buffer.from(part?.slice(part.search(/\r?\n\r?\n/)) ?? assert.fail(`no ${name} in ${mail.slice(0, 500)}`), 'base64');
}

const SLA = { id: 'shop-sla', service: 'shop', indicator: { kind: 'availability' }, target: '99%', window: { rolling: '2m' } };
/** 50 s before a midnight in UTC. */
const EVENING = Math.ceil(1_760_000_000_000 / DAY_MS) * DAY_MS - 50_000;

test('when a period is over its statement is issued and mailed once, and what is attached verifies', async (t) => {
  const { port, mails } = await startSmtp(t);
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db, { clock: manualClock(EVENING) }).begin(SLA);
  const channels = channelsConfig.parse([
    { id: 'mail', kind: 'email', host: '127.0.0.1', port, tls: 'none', from: 'nines@example.org', to: 'ops@example.org' },
  ]);
  const rows: OutboxMessage[] = [];
  const sender = new StatementSender({
    db: db.kysely,
    clock: world.clock,
    logger: recordingLogger(),
    book: world.slas.book,
    ledger: world.ledger,
    statements: world.statements,
    reports: world.reports,
    templates: world.templates,
    outbox: () => ({
      enqueue: async (_trx, entry) => {
        rows.push({
          id: `row-${rows.length}`,
          tries: 1,
          cutOff: false,
          createdAtMs: 0,
          topic: entry.topic,
          key: entry.key,
          payload: toJson(entry.payload),
        });
        return `row-${rows.length}`;
      },
      wake: () => {},
    }),
    mailer: (channel) => openMailers(channels, { clock: world.clock, ...createOutbound({ clock: realClock }) }).get(channel),
    serviceName: () => 'Web shop',
  });
  const schedule = { id: 'daily', every: 'day', after: '5s', slas: ['shop-sla'], channel: 'mail', to: ['lawyer@acme.example'] };
  sender.configure(statementsConfig.parse([schedule]));
  await world.play('UUUUxxUU');
  await sender.step(world.clock.now());
  assert.equal(rows.length, 0, 'the day before was not watched, this one is not over');
  await world.play('U'.repeat(48));
  await sender.step(world.clock.now());
  await sender.step(world.clock.now());
  assert.equal(rows.length, 1, 'once, however often it is looked at');

  const [row] = rows;
  assert.ok(row);
  const verdict = await sender.send(row);
  assert.equal(verdict.kind, 'done');
  const [mail = ''] = mails;
  assert.match(mail, /^To: lawyer@acme\.example/m);
  assert.match(mail, /^Message-ID: <row-0@example\.org>/m);
  assert.match(mail, /^Subject: shop-sla, 2025-10-09: met/m);
  const json = attached(mail, 'shop-sla-2025-10-09.json');
  const [issued] = await world.statements.list({ sla: 'shop-sla' });
  assert.equal(
    createHash('sha256').update(json).digest('hex'),
    createHash('sha256')
      .update(issued?.document ?? '')
      .digest('hex'),
  );
  assert.equal(verifySigned(json.toString(), { kind: 'keys', keys: [world.signer()] }).kind, 'verified');
  assert.equal(attached(mail, 'shop-sla-2025-10-09.pdf').subarray(0, 8).toString('latin1'), '%PDF-1.4');
  sender.configure([]);
  assert.equal((await sender.send(row)).kind, 'dead');
});

test('a schedule is due for the newest period that ended long enough ago', () => {
  const due = (at: string, every: 'day' | 'month', zone = 'UTC'): string =>
    duePeriod({ every, zone, after: 3_600_000 as never }, epochMs(Date.parse(at))).name;
  assert.deepEqual(
    [
      due('2026-12-01T00:59:59Z', 'month'),
      due('2026-12-01T01:00:00Z', 'month'),
      due('2026-11-30T23:59:59Z', 'month', 'Europe/Berlin'),
      due('2026-11-21T12:00:00Z', 'day'),
    ],
    ['2026-10', '2026-11', '2026-10', '2026-11-20'],
  );
});

test('a schedule that names what is not there is refused with its place', () => {
  const parsed = statementsConfig.parse([{ id: 'm', every: 'month', slas: ['shop-sla', 'nothing'], channel: 'hook', template: 'house' }]);
  const names = { slas: new Set(['shop-sla']), channels: new Set(['mail']), templates: new Set(['house']) };
  const found = unknownNames(parsed, names);
  assert.deepEqual(
    found.map(({ path }) => path.join('.')),
    ['0.template', '0.slas.1', '0.channel'],
  );
  for (const bad of [{ zone: 'Mars/Olympus' }, { every: 'fortnight' }, { slas: [] }, { to: ['nobody'] }]) {
    assert.equal(statementsConfig.safeParse([{ id: 'm', every: 'month', slas: ['shop-sla'], channel: 'mail', ...bad }]).success, false);
  }
});
