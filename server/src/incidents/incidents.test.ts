import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { ANNE } from '../notify/testing/world.ts';
import { DEFAULT_RULES } from './rules.ts';
import { openIncidentWorld } from './testing/world.ts';

const MINUTE_MS = 60_000;
const all = {
  status: 'all',
  severities: [],
  category: undefined,
  service: undefined,
  fromMs: undefined,
  toMs: undefined,
  cursor: undefined,
  limit: 50,
} as const;
const linesOf = (timeline: readonly { readonly text: string; readonly actor: string }[]): readonly string[] =>
  timeline.map(({ text, actor }) => `${actor}: ${text}`);

forEachDatabase((_name, open) => {
  it('an outage opens one incident, which follows its alerts, ends with them after a while of quiet, and comes back when they do', async (t) => {
    const { db } = await open(t);
    const { incidents, fail, advance, clock } = await openIncidentWorld(t, { db });
    await fail(['db'], { alertname: 'PostgresDown' });
    await advance(30_000);
    await fail(['shop', 'mail']);
    const { items } = await incidents.list(all);
    assert.equal(items.length, 1, 'one problem is one incident');
    const [member] = (await incidents.get('1')).alerts;
    assert.equal((await incidents.list({ ...all, alert: member?.alert })).items.length, 1, 'it is found by an alert of its problem');
    assert.equal((await incidents.list({ ...all, alert: 'nobody' })).items.length, 0);
    const [incident] = items;
    assert.deepEqual(
      [incident?.number, incident?.state, incident?.severity, incident?.category, incident?.team],
      [1, 'open', 'critical', 'data', 'team-db'],
    );
    assert.equal(incident?.category_why, 'rule "data": the alert is about data or where it is kept');
    assert.deepEqual([...(incident?.services ?? [])].sort(), ['db', 'mail', 'shop']);
    await fail([], { alertname: 'PostgresDown' });
    await fail([]);
    assert.equal((await incidents.get('1')).state, 'mitigated');
    await advance(5 * MINUTE_MS);
    await fail(['shop']);
    assert.equal((await incidents.get('1')).state, 'open', 'an alert that belongs to it fires again');
    await fail([]);
    await advance(10 * MINUTE_MS);
    const over = await incidents.get('INC-1');
    assert.deepEqual([over.state, over.resolves_at_ms, (over.resolved_at_ms ?? 0) <= clock.now()], ['resolved', null, true]);
    assert.deepEqual(
      over.timeline.filter(({ kind }) => kind === 'state').map(({ text }) => text),
      [
        'open → mitigated: all alerts have ended; resolves in 10m unless one returns',
        'mitigated → open: 1 alert fires again',
        'open → mitigated: all alerts have ended; resolves in 10m unless one returns',
        'mitigated → resolved: it stayed quiet',
      ],
    );
    assert.deepEqual(linesOf(over.timeline).slice(0, 3), [
      'nines: opened by rule "critical": severity critical and above: PostgresDown on db',
      'nines: severity critical (the worst severity of its alerts), category data (rule "data": the alert is about data or where it is kept)',
      'nines: probable cause db: explains 1 of 1 alert; depends on nothing that fails; first, with PostgresDown',
    ]);
    assert.ok(over.links.some(({ kind, ref }) => kind === 'sla' && ref === 'shop-availability'));
    assert.equal(over.alerts.length, 4);
  });

  it('people work on it: states, roles, comments, links and action items, each in the time line and the audit', async (t) => {
    const { db } = await open(t);
    const { incidents, advance } = await openIncidentWorld(t, { db });
    const made = await incidents.create(
      { title: 'Checkout is slow', summary: '', services: ['shop'], alerts: [], severity: 'critical', category: 'business' },
      ANNE,
    );
    await advance(MINUTE_MS);
    await assert.rejects(incidents.changeState('1', { state: 'closed', comment: '' }, ANNE), {
      code: 'incident_change_refused',
      message: 'an incident that is open can become acknowledged or investigating or mitigated or resolved, not closed',
    });
    await incidents.changeState('1', { state: 'acknowledged', comment: 'on it' }, ANNE);
    const edited = await incidents.edit(made.id, { revision: 1, severity: 'emergency', roles: { commander: 'anne', scribe: 'bob' } }, ANNE);
    assert.deepEqual(edited.roles, { commander: 'anne', communications: null, scribe: 'bob' });
    await assert.rejects(incidents.edit(made.id, { revision: 1, title: 'Other' }, ANNE), { code: 'revision_conflict' });
    await incidents.comment('1', 'The pool of connections is <b>empty</b>', ANNE);
    await incidents.link('1', { kind: 'change', ref: 'deploy-77', text: 'release 2.4' }, ANNE);
    await assert.rejects(incidents.link('1', { kind: 'service', ref: 'nothing', text: '' }, ANNE), { code: 'incident_invalid' });
    await incidents.unlink('1', { kind: 'service', ref: 'shop' }, ANNE);
    const action = await incidents.addAction('1', { text: 'alert on the pool', owner: 'bob', due_at: null }, ANNE);
    const done = await incidents.editAction('1', action.id, { revision: 1, done: true }, ANNE);
    assert.notEqual(done.done_at_ms, null);
    await assert.rejects(incidents.editAction('1', action.id, { revision: 1, done: false }, ANNE), { code: 'revision_conflict' });
    await advance(MINUTE_MS);
    await incidents.changeState('1', { state: 'resolved', comment: '' }, ANNE);
    await incidents.changeState('1', { state: 'closed', comment: '' }, ANNE);
    const { timeline, figures, services, next_states: next } = await incidents.get('1');
    assert.deepEqual(linesOf(timeline), [
      'anne: opened by hand: Checkout is slow',
      'anne: open → acknowledged: on it',
      'anne: severity critical → emergency',
      'anne: anne is commander',
      'anne: bob is scribe',
      'anne: The pool of connections is <b>empty</b>',
      'anne: linked change deploy-77: release 2.4',
      'anne: service shop is linked no longer',
      'anne: action item: alert on the pool (bob)',
      'anne: action item done: alert on the pool',
      'anne: acknowledged → resolved',
      'anne: resolved → closed',
    ]);
    assert.deepEqual([services, next], [[], ['investigating']]);
    assert.ok(figures.acknowledge_ms !== null && figures.acknowledge_ms >= MINUTE_MS && figures.resolve_ms !== null);
    const events = await db.kysely.selectFrom('events').select(['kind', 'retention_class']).where('kind', 'like', 'incident.%').execute();
    assert.equal(events.filter(({ retention_class: kept }) => kept === 'audit').length, 10);
  });

  it("attack: the cause of one's own incident does not name a service of others", async (t) => {
    const { db } = await open(t);
    const { incidents, fail } = await openIncidentWorld(t, { db });
    await fail(['db', 'shop'], { alertname: 'PostgresDown' });
    const told = async (sees?: (service: string) => boolean) => {
      const { causes, timeline, links } = await incidents.get('1', sees);
      const titles = links.flatMap(({ kind, text }) => (kind === 'problem' ? [text] : []));
      const draft = (await incidents.postMortem('1', sees)).markdown.split('\n').filter((line) => /explains|probable/.test(line));
      return { causes: causes.map(({ subject }) => subject), sentences: timeline.filter(({ kind }) => kind === 'cause'), titles, draft };
    };
    const all = JSON.stringify(await told());
    assert.match(all, /"probable cause db:/);
    assert.match(all, /"titles":\["db: /);
    assert.doesNotMatch(JSON.stringify(await told((service) => service !== 'db')), /\bdb\b/);
    const later = await told((service) => service !== 'shop');
    assert.deepEqual([later.causes.includes('db'), later.sentences.length], [true, 1], 'what is seen stays');
    assert.doesNotMatch(JSON.stringify({ ...later, titles: [] }), /"shop"/);
  });

  it('a post-mortem is drafted from what is known, saved with a revision, and what others wrote is no markup in it', async (t) => {
    const { db } = await open(t);
    const { incidents, fail, advance } = await openIncidentWorld(t, { db });
    await fail(['shop']);
    await advance(2 * MINUTE_MS);
    await incidents.comment('1', '# [link](http://evil.example) <script>', ANNE);
    await fail([]);
    await incidents.changeState('1', { state: 'resolved', comment: '' }, ANNE);
    const draft = await incidents.postMortem('1');
    assert.deepEqual([draft.revision, draft.saved_at_ms], [0, null]);
    assert.match(draft.markdown, /^# INC-1: ServiceDown on shop\n/);
    assert.match(draft.markdown, /\| Downtime of shop, by the ledger \| 2m/);
    assert.match(draft.markdown, /\| Time to recover \| 2m/);
    assert.match(draft.markdown, /\\# \\\[link\\\]\\\(http:\/\/evil\.example\\\) \\<script\\>/);
    const saved = await incidents.savePostMortem('1', { markdown: '# Ours', revision: 0 }, ANNE);
    assert.deepEqual([saved.revision, saved.author], [1, 'anne']);
    await assert.rejects(incidents.savePostMortem('1', { markdown: 'again', revision: 0 }, ANNE), { code: 'revision_conflict' });
    assert.equal((await incidents.postMortem('1')).markdown, '# Ours');
  });

  it('what is long over goes with all that it had, problems before; what is open stays', async (t) => {
    const { db } = await open(t);
    const { incidents, problems, fail, advance, clock } = await openIncidentWorld(t, { db });
    await fail(['shop']);
    await fail([]);
    await advance(40 * MINUTE_MS);
    const { links } = await incidents.get('1');
    await incidents.addAction('1', { text: 'alert on the pool', owner: '', due_at: null }, ANNE);
    await incidents.savePostMortem('1', { markdown: '# Ours', revision: 0 }, ANNE);
    await fail(['bank'], { alertname: 'BankDown' });
    const { signal } = new AbortController();
    assert.equal(await incidents.purge(clock.now() - 60 * MINUTE_MS, signal), 0);
    assert.equal(await problems.purge(clock.now(), 10), 1);
    await assert.rejects(problems.detail(links.find(({ kind }) => kind === 'problem')?.ref ?? ''), { code: 'problem_not_found' });
    const over = await incidents.get('1');
    assert.deepEqual([over.state, over.alerts], ['resolved', []]);
    assert.equal(await incidents.purge(clock.now(), signal), 1);
    await assert.rejects(incidents.get('1'), { code: 'incident_not_found' });
    assert.equal((await incidents.get('2')).alerts.length, 1);
    for (const table of ['incident_entries', 'incident_links', 'incident_actions', 'incident_post_mortems'] as const) {
      const left = await db.kysely.selectFrom(table).select('incident_id').distinct().execute();
      assert.ok(left.length <= 1, table);
    }
  });
});

describe('incidents', () => {
  it('warnings open none, unless a rule says so; rules are changed with their revision', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail } = await openIncidentWorld(t, { db });
    await fail(['shop'], { alertname: 'Slow', severity: 'warning' });
    assert.equal((await incidents.list(all)).items.length, 0);
    const open = [
      { id: 'not-mail', match: [{ name: 'service', op: '=', value: 'mail' }], why: '', severities: ['warning', 'critical'], opens: false },
      { id: 'warnings', match: [], why: 'we look at all', severities: ['warning', 'critical'], opens: true },
    ] as const;
    const rules = { ...DEFAULT_RULES, open: open.map((one) => ({ ...one, match: [...one.match], severities: [...one.severities] })) };
    await incidents.changeRules(rules, 0, ANNE);
    await assert.rejects(incidents.changeRules(rules, 0, ANNE), { code: 'revision_conflict' });
    await fail(['bank'], { alertname: 'BankSlow', severity: 'warning' });
    const [incident] = (await incidents.list(all)).items;
    assert.deepEqual(
      [incident?.severity, incident?.category, incident?.category_why],
      ['warning', 'third_party', 'rule "third-party": the service is somebody else’s'],
    );
    await fail([], { alertname: 'BankSlow' });
    await fail(['mail'], { alertname: 'MailDown' });
    assert.equal((await incidents.list({ ...all, service: 'mail' })).items.length, 0, 'the first rule that matches says no');
  });

  it('a busy processor alone opens none; it is part of what it belongs to', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail } = await openIncidentWorld(t, { db });
    await fail(['shop'], { alertname: 'HighCpu' });
    assert.equal((await incidents.list(all)).items.length, 0);
    await fail(['shop'], { alertname: 'ShopDown' });
    const { items } = await incidents.list(all);
    assert.deepEqual([items.length, (await incidents.get('1')).alerts.length], [1, 2]);
  });

  it('two incidents whose problems turn out to be one are one, and the older goes on', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail, advance } = await openIncidentWorld(t, { db });
    await fail(['shop'], { alertname: 'ShopDown' });
    await advance(10_000);
    await fail(['mail'], { alertname: 'MailDown' });
    assert.equal((await incidents.list({ ...all, status: 'open' })).items.length, 2);
    await fail(['db'], { alertname: 'PostgresDown' });
    const { items } = await incidents.list({ ...all, status: 'open' });
    assert.deepEqual(
      items.map(({ number, services }) => [number, [...services].sort()]),
      [[1, ['db', 'mail', 'shop']]],
    );
    const gone = await incidents.get('2');
    assert.deepEqual([gone.state, gone.merged_into, gone.next_states], ['closed', items[0]?.id, []]);
    assert.ok((await incidents.get('1')).timeline.some(({ text }) => text.startsWith('INC-2 is the same')));
  });

  it('stakeholders are told in their words when it is their time, over a restart, and when it is over', async (t) => {
    const { db } = await openSqliteForTest(t);
    let incidentWorld = await openIncidentWorld(t, { db });
    const contacts = { technical: 'hook', operations: 'pager', business: 'mail', executive: 'mail' } as const;
    const escalation = DEFAULT_RULES.escalation.map((step) => ({ ...step, contacts: [{ channel: contacts[step.audience] }] }));
    await incidentWorld.incidents.changeRules({ ...DEFAULT_RULES, escalation }, 0, ANNE);
    await incidentWorld.fail(['shop']);
    await incidentWorld.advance(6 * MINUTE_MS);
    incidentWorld = await incidentWorld.restart();
    await incidentWorld.advance(10 * MINUTE_MS);
    await incidentWorld.fail([]);
    await incidentWorld.incidents.changeState('1', { state: 'resolved', comment: 'rolled back' }, ANNE);
    await incidentWorld.advance(MINUTE_MS);
    const told = incidentWorld.world.sent.filter(({ message }) => message.groupLabels['alertname'] === 'Incident');
    assert.deepEqual(
      told.map(({ message, attempt }) => [
        message.receiver,
        message.status,
        attempt.words?.text?.split('\n')[0]?.replace(/since .*Z \(.*\)/, 'since T'),
      ]),
      [
        ['hook', 'firing', 'ServiceDown on shop (critical, open) since T.'],
        ['pager', 'firing', 'ServiceDown on shop (critical, open) since T.'],
        ['mail', 'firing', 'shop: customers may be affected since T.'],
        ['hook', 'resolved', 'ServiceDown on shop (resolved) since T.'],
        ['pager', 'resolved', 'ServiceDown on shop (resolved) since T.'],
        ['mail', 'resolved', 'shop: the trouble is over (resolved).'],
      ],
    );
    const { escalation: told2, timeline } = await incidentWorld.incidents.get('1');
    assert.deepEqual(
      told2.map(({ step, state }) => [step, state]),
      [
        ['technical', 'told'],
        ['operations', 'told'],
        ['business', 'told'],
      ],
    );
    assert.ok(timeline.some(({ text }) => text === 'business: told mail'));
  });

  it('an acknowledged alert acknowledges its incident, by the same person', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail, world, advance } = await openIncidentWorld(t, { db });
    await fail(['shop']);
    await advance(MINUTE_MS);
    const [alert] = world.alerting.open();
    assert.notEqual(alert?.problem ?? null, null);
    await world.alerting.act(alert?.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE);
    await advance(1_000);
    const { state, timeline } = await incidents.get('1');
    assert.equal(state, 'acknowledged');
    assert.ok(linesOf(timeline).includes('anne: open → acknowledged: alert ServiceDown was acknowledged'));
  });

  it('an acknowledgement just before a crash counts, one from before the incident does not', async (t) => {
    const { db } = await openSqliteForTest(t);
    let incidentWorld = await openIncidentWorld(t, { db });
    const acknowledge = async (service: string): Promise<void> => {
      const alert = incidentWorld.world.alerting.open().find((one) => one.service === service);
      await incidentWorld.world.alerting.act(alert?.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE);
    };
    await incidentWorld.fail(['shop'], { alertname: 'Slow', severity: 'warning' });
    await acknowledge('shop');
    await incidentWorld.advance(MINUTE_MS);
    await incidentWorld.fail(['db']);
    incidentWorld = await incidentWorld.restart();
    await incidentWorld.advance(1_000);
    assert.equal((await incidentWorld.incidents.get('1')).state, 'open');
    await acknowledge('db');
    incidentWorld = await incidentWorld.restart();
    await incidentWorld.advance(1_000);
    const { state, timeline } = await incidentWorld.incidents.get('1');
    assert.equal(state, 'acknowledged');
    assert.ok(linesOf(timeline).includes('anne: open → acknowledged: alert ServiceDown was acknowledged'));
  });

  it('the alerts of a problem of long ago are still found by it', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { fail, advance, world, problems } = await openIncidentWorld(t, { db });
    await fail(['bank'], { alertname: 'BankDown' });
    const [alert] = world.alerting.open();
    await fail([], { alertname: 'BankDown' });
    await advance(40 * MINUTE_MS);
    assert.equal(problems.of(alert?.id ?? ''), undefined, 'it is forgotten in memory');
    const any = { severities: [], rule: undefined, service: undefined, fromMs: undefined, toMs: undefined };
    const found = (problem: string | undefined) => world.alerting.list({ ...any, status: 'all', problem, cursor: undefined, limit: 10 });
    assert.deepEqual(
      (await found(alert?.problem ?? '')).items.map(({ id }) => id),
      [alert?.id],
    );
    assert.deepEqual((await found('')).items, []);
  });

  it('an incident of which nobody can be told holds no other one up', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail, world, advance } = await openIncidentWorld(t, { db });
    const escalation = DEFAULT_RULES.escalation.map((step) => ({ ...step, contacts: [{ channel: 'hook' }] }));
    await incidents.changeRules({ ...DEFAULT_RULES, escalation }, 0, ANNE);
    const page = world.notify.page.bind(world.notify);
    t.mock.method(world.notify, 'page', (...[trx, asked]: Parameters<typeof page>) => {
      if (asked.alert.service === 'bank') throw new Error('the disk is full');
      return page(trx, asked);
    });
    await fail(['bank'], { alertname: 'BankDown' });
    await advance(MINUTE_MS);
    await fail(['shop']);
    await advance(MINUTE_MS);
    const { items } = await incidents.list(all);
    const told = await Promise.all(
      items.map(async ({ id }) => (await incidents.get(id)).escalation.filter(({ state }) => state === 'told').length),
    );
    assert.deepEqual(
      items.map(({ services }, i) => [services[0], (told[i] ?? 0) > 0]),
      [
        ['shop', true],
        ['bank', false],
      ],
    );
  });

  it('a storm is one incident from the twentieth on, over a restart', async (t) => {
    const { db } = await openSqliteForTest(t);
    const services = Array.from({ length: 60 }, (_, i) => `elsewhere-${i}`);
    const before = await openIncidentWorld(t, { db });
    await before.fail(services.slice(0, 30));
    const { incidents, fail } = await before.restart();
    await fail(services);
    const { items } = await incidents.list(all);
    assert.equal(items.length, 20);
    assert.match(items[0]?.title ?? '', /^Alert storm/);
    assert.equal((await incidents.get(items[0]?.id ?? '')).links.filter(({ kind }) => kind === 'problem').length, 41);
  });

  it('figures by service, category, team and severity', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents, fail, advance, clock } = await openIncidentWorld(t, { db });
    const fromMs = clock.now();
    await fail(['db'], { alertname: 'PostgresDown' });
    await advance(2 * MINUTE_MS);
    await incidents.changeState('1', { state: 'acknowledged', comment: '' }, ANNE);
    await advance(2 * MINUTE_MS);
    await fail([], { alertname: 'PostgresDown' });
    await incidents.create({ title: 'By hand', summary: '', services: ['db', 'mail'], alerts: [] }, ANNE);
    const of = async (by: 'service' | 'category' | 'team' | 'severity') =>
      (await incidents.statistics({ fromMs, toMs: (clock.now() + 1) as never, by })).items;
    const byService = await of('service');
    assert.deepEqual(
      byService.map(({ key, incidents: count, open }) => [key, count, open]),
      [
        ['db', 2, 2],
        ['mail', 1, 1],
      ],
    );
    assert.ok((byService[0]?.mtta_ms ?? 0) >= 2 * MINUTE_MS && (byService[0]?.mttr_ms ?? 0) >= 4 * MINUTE_MS);
    assert.equal(byService[1]?.mttr_ms, null);
    assert.deepEqual(
      (await of('category')).map(({ key }) => key),
      ['application', 'data'],
    );
    assert.deepEqual(
      (await of('team')).map(({ key }) => key),
      ['team-db'],
    );
  });

  it('a mistake is removed with its revision, and the audit keeps that it was', async (t) => {
    const { db } = await openSqliteForTest(t);
    const { incidents } = await openIncidentWorld(t, { db });
    await incidents.create({ title: 'Oops', summary: '', services: [], alerts: [] }, ANNE);
    await assert.rejects(incidents.remove('1', 7, ANNE), { code: 'revision_conflict' });
    await incidents.remove('1', 0, ANNE);
    await assert.rejects(incidents.get('1'), { code: 'incident_not_found' });
    const kinds = await db.kysely.selectFrom('events').select('kind').where('kind', '=', 'incident.deleted').execute();
    assert.equal(kinds.length, 1);
  });
});
