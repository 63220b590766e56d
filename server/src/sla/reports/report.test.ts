import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { DAY_MS } from '@nines/base/units.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { openMailers } from '../../notify/channels.ts';
import { channelsConfig } from '../../notify/contract.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { type OutboxMessage, toJson } from '../../platform/records/contract.ts';
import { FORMS } from '../statements/forms.ts';
import { statementMarkdown } from '../statements/markdown.ts';
import { statementsConfig } from '../statements/schedule.ts';
import { StatementSender } from '../statements/sender.ts';
import { verifySigned } from '../statements/signature.ts';
import { SlaWorld, at, openWorld } from '../testing/world.ts';
import { reportIn } from './forms.ts';

const credits = { currency: 'EUR', tiers: [{ below: '99%', credit: '10%' }] };
const acme = (fee: string) => [{ id: 'acme', name: 'ACME Πελάτης', fee }];
const shop = { service: 'shop', indicator: { kind: 'availability' }, window: { rolling: '2m' } };
const STRICT = { ...shop, id: 'strict', name: 'Strict <b>|*', target: '99%', customers: acme('100.05'), credits };
const EASY = { ...shop, id: 'easy', target: '50%', customers: acme('20.00'), credits };
const OTHER = { ...shop, id: 'other', target: '80%' };
const period = { fromMs: at(0), toMs: at(20) };
const ask = { slas: [], services: [], customer: undefined, title: undefined, period, zone: 'UTC' };

test('one signed report tells of all contracts of a customer, with what is owed in all, and each line names its statement', async (t) => {
  const world = await openWorld(t, openSqliteForTest, STRICT, EASY, OTHER);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const report = await world.reports.make({ ...ask, customer: 'acme' });
  assert.deepEqual(
    report.contracts.map(({ id, status, credit }) => [id, status, credit?.amount]),
    [
      ['easy', 'met', '2.00'],
      ['strict', 'breached', '10.01'],
    ],
  );
  assert.deepEqual(report.totals, {
    contracts: 2,
    met: 1,
    at_risk: 0,
    breached: 1,
    unknown: 0,
    credits: [{ currency: 'EUR', amount: '12.01' }],
  });
  assert.deepEqual(report.services, [
    { id: 'shop', name: 'Web shop', outages: 1, open: 0, down_ms: 2_000, longest_ms: 2_000, mttr_ms: 2_000 },
  ]);
  const { text } = await world.statements.report({ sla: 'strict', period, zone: 'UTC', customer: 'acme' });
  assert.equal(report.contracts[1]?.statement.sha256, createHash('sha256').update(text).digest('hex'));
  const json = reportIn('json', report).toString();
  assert.equal(verifySigned(json, { kind: 'keys', keys: [world.signer()] }).kind, 'verified');
  assert.deepEqual(verifySigned(json.replace('"12.01"', '"11.01"'), { kind: 'none' }), { kind: 'altered', parts: ['totals'] });

  await world.play('UxU');
  const again = await world.reports.make({ ...ask, customer: 'acme' });
  for (const form of FORMS) assert.deepEqual(reportIn(form, again), reportIn(form, report), `the same inputs, the same bytes: ${form}`);
  assert.equal((await world.reports.make(ask)).contracts.length, 3);
  assert.equal((await world.reports.make({ ...ask, slas: ['other'] })).contracts.length, 1);
  await assert.rejects(world.reports.make({ ...ask, customer: 'nobody' }), { code: 'report_empty' });
  await assert.rejects(world.reports.make({ ...ask, slas: ['none'] }), { code: 'sla_not_found' });
});

test('every form is whole, and what people wrote is text in each', async (t) => {
  const world = await openWorld(t, openSqliteForTest, STRICT, OTHER);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const report = await world.reports.make({ ...ask, title: '<script>alert(1)</script>' });
  const [page, markdown, csv] = (['html', 'md', 'csv'] as const).map((form) => reportIn(form, report).toString());
  assert.ok(!page?.includes('<script') && page?.includes('Strict &lt;b&gt;|*') && page.includes('Of 2 contracts 1 met, 1 breached.'), page);
  assert.match(markdown ?? '', /^# \\<script\\>alert\\\(1\\\)\\<\/script\\>\n/);
  assert.match(markdown ?? '', /^\| Strict \\<b\\>\\\|\\\* \| shop \| breached \| 90\\?\.00000 % \| 99 % \|/m);
  assert.equal(csv?.split('\r\n').length, 4);
  assert.equal(reportIn('pdf', report).subarray(0, 8).toString('latin1'), '%PDF-1.4');
  const statement = statementMarkdown(await world.statement('strict', period), 'Web shop');
  assert.match(statement, /^# Strict \\<b\\>\\\|\\\*\n/);
  assert.match(statement, /\*\*breached\*\*: 90\.00000 %, target 99 %/);
  assert.match(statement, /^## Outages\n\n\| From \| Length \| Reason \| Evidence \|\n\| --- \|/m);
});

/** 50 s before a midnight in UTC. */
const EVENING = Math.ceil(1_760_000_000_000 / DAY_MS) * DAY_MS - 50_000;

test('a schedule issues one report over its contracts, posts it to a webhook once, and keeps it', async (t) => {
  const bodies: { subject: string; attachments: { name: string; media_type: string; content_base64: string }[] }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(JSON.parse(body));
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db, { clock: manualClock(EVENING) }).begin(STRICT, EASY);
  const channels = channelsConfig.parse([{ id: 'hook', kind: 'webhook', url: `http://127.0.0.1:${address.port}/` }]);
  await using outbound = createOutbound({ clock: world.clock });
  const rows: OutboxMessage[] = [];
  const logger = recordingLogger();
  const sender = new StatementSender({
    db: db.kysely,
    clock: world.clock,
    logger,
    book: world.slas.book,
    ledger: world.ledger,
    statements: world.statements,
    reports: world.reports,
    templates: world.templates,
    outbox: () => ({
      enqueue: async (_trx, entry) => {
        rows.push({
          id: 'row',
          tries: 1,
          createdAtMs: 0,
          cutOff: false,
          topic: entry.topic,
          key: entry.key,
          payload: toJson(entry.payload),
        });
        return 'row';
      },
      wake: () => {},
    }),
    mailer: (channel) => openMailers(channels, { request: outbound.request, connect: outbound.connect, clock: world.clock }).get(channel),
    serviceName: () => 'Web shop',
  });
  const schedule = {
    id: 'daily',
    every: 'day',
    after: '5s',
    slas: ['strict', 'easy'],
    together: true,
    channel: 'hook',
    attach: ['json', 'md'],
  };
  sender.configure(statementsConfig.parse([{ ...schedule, customer: 'acme' }]));
  await world.play('U'.repeat(60));
  for (let i = 0; i < 2; i++) await sender.step(world.clock.now());
  assert.equal(rows.length, 1, JSON.stringify(logger));
  assert.equal((await sender.send(rows[0] ?? assert.fail())).kind, 'done');
  const [posted] = bodies;
  assert.match(posted?.subject ?? '', /^Service levels for ACME Πελάτης, 20\d\d-\d\d-\d\d$/);
  const json = Buffer.from(posted?.attachments[0]?.content_base64 ?? '', 'base64').toString();
  assert.equal(verifySigned(json, { kind: 'keys', keys: [world.signer()] }).kind, 'verified');
  assert.equal(posted?.attachments[1]?.media_type, 'text/markdown; charset=utf-8');
  const [kept] = await world.reports.list();
  assert.deepEqual([kept?.schedule, kept?.customer], ['daily', 'acme']);
  assert.equal(reportIn('json', await world.reports.find(kept?.id ?? '')).toString(), json, 'the archive has the bytes that were sent');
  const statements = await world.statements.list({});
  assert.deepEqual(new Set(statements.map(({ sla, revision }) => `${sla} ${revision}`)), new Set(['easy 1', 'strict 1']));
});
