import type { OnCommitted } from './collect/contract.ts';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { SECOND_MS, epochMs } from '@nines/base/units.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { openAgents } from './agents/start.ts';
import { createMemoryAlerting } from './alerting/memory.ts';
import type { Evaluation } from './alerting/contract.ts';
import { type AlertingService, createAlerting } from './alerting/service.ts';
import { openAlertHistory } from './alerting/start.ts';
import { openReceived } from './alertmanager-api/start.ts';
import { Alertmanagers } from './alertmanagers/service.ts';
import { openAnalytics } from './analytics/start.ts';
import { createAsk } from './ask.ts';
import { startAudit } from './audit/start.ts';
import { replayFrom } from './availability/replay.ts';
import { LEDGER_STEP_MS } from './availability/service.ts';
import { openIncidents } from './incidents/start.ts';
import { openLedger } from './availability/start.ts';
import { examineInChild } from './backups/child.ts';
import { WORKER_STEP_MS } from './backups/contract.ts';
import { refuseUnfinishedRestore } from './backups/restore.ts';
import { Backups } from './backups/service.ts';
import { liveSources } from './backups/sources.ts';
import { openChecks } from './checks/start.ts';
import { createAliases } from './collect/aliases.ts';
import { startExemplars } from './collect/exemplars/service.ts';
import { createIngest } from './collect/ingest.ts';
import { createMetadataBook } from './collect/metadata-book.ts';
import { keepMetadata } from './collect/metadata-keeper.ts';
import { watchProcess } from './collect/process-metrics.ts';
import { createScrapeManager } from './collect/scrape/manager.ts';
import { createSelfMetrics } from './collect/self.ts';
import { startCollecting } from './collect/start.ts';
import { watchStore } from './collect/store-metrics.ts';
import { type Configuration, type ReadConfiguration, listenUrl, stateSource } from './config.ts';
import { type OpenEscalation, openEscalation } from './escalation/start.ts';
import { createDiscover } from './discover/service.ts';
import { MAINTENANCE_STEP_MS, type MaintenanceDeps, MaintenanceService } from './maintenance/service.ts';
import { openLinks } from './notify/callbacks.ts';
import { openChannelBook } from './notify/start.ts';
import { NotifyService } from './notify/service.ts';
import { purgeNotifications } from './notify/history.ts';
import { openOncall } from './oncall/start.ts';
import { retentionPolicy } from './ops/retention.ts';
import { UPKEEP_MS, createUpkeep } from './ops/upkeep.ts';
import { openOutgoing } from './outgoing.ts';
import { createBreath } from './platform/breath.ts';
import { createBus } from './platform/bus.ts';
import { processorMs } from './platform/clock.ts';
import { migrate } from './platform/db/migrate.ts';
import { openDb } from './platform/db/open.ts';
import { STORE_DIR, makeDirectory } from './platform/directory.ts';
import { openKeys } from './platform/encryption/keys.ts';
import type { MasterKey } from './platform/encryption/master-key.ts';
import { randomFraction, randomSeed } from './platform/ids.ts';
import { startLoop } from './platform/loop.ts';
import { DEFAULT_TEAM } from './platform/records/contract.ts';
import { createOutbox } from './platform/records/outbox.ts';
import { SECRETS_SEALING_KEY } from './platform/secrets/key-file.ts';
import { openSecrets } from './platform/secrets/service.ts';
import { AUDIT_SEALING_KEY } from './platform/signing/audit-key.ts';
import { SIGNING_KEY } from './platform/signing/signing-keys.ts';
import { engineSettings } from './query/contract.ts';
import type { ProblemView } from './problems/contract.ts';
import type { ProblemService } from './problems/service.ts';
import { createProblems } from './problems/start.ts';
import { openRecovery } from './recovery/start.ts';
import { openRules } from './rules/start.ts';
import { seriesLimits } from './series/limits.ts';
import { Services } from './services/service.ts';
import { writtenCheckOf } from './services/written.ts';
import { loadSilences } from './silences/service.ts';
import { openSlas } from './sla/start.ts';
import { STATEMENT_TOPIC } from './sla/statements/sender.ts';
import { openStatusPages, statusHandlers } from './status-pages/start.ts';
import { VERSION } from './version.ts';

export type AppOptions = {
  readonly loaded: Configuration;
  /** Reads the configuration again, for a reload; with a text as if it stood in the file. */
  readonly read: (text?: string) => ReadConfiguration;
  readonly dataDir: string;
  /** Where the configuration was read from. */
  readonly configFile: string | undefined;
  /** What the data directory is encrypted with. */
  readonly key: MasterKey | undefined;
  /** Everyone is an administrator. */
  readonly open: boolean;
  /** In another program's process: this host is measured when that program says so. */
  readonly embedded?: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
};

/** What the product is made of, built and running, before anybody can reach it. */
export type Parts = Awaited<ReturnType<typeof openParts>>;

/**
 * One straight line on purpose: nearly every step needs what earlier ones made, and reading it from top to bottom is reading
 * the product. Each part registers its own end beside its beginning.
 */
export async function openParts(
  { loaded, dataDir, configFile, key, embedded, clock, ids, logger }: AppOptions,
  stack: AsyncDisposableStack,
) {
  let current = loaded;
  const { config } = loaded;
  const bus = createBus((thrown) => logger.error('a listener failed', { error: messageOf(thrown) }));
  const self = createSelfMetrics();
  const processWatch = stack.use(watchProcess(self, clock, VERSION));

  // What is kept: samples and state.
  makeDirectory(dataDir);
  refuseUnfinishedRestore(dataDir);
  const keys = await openKeys(dataDir, key, clock.now());
  makeDirectory(join(dataDir, STORE_DIR));
  const retention = retentionPolicy(config.retention);
  const store = await openStore({
    dir: join(dataDir, STORE_DIR),
    cipher: keys?.cipher,
    retentionMs: retention.longestMs,
    retention: retention.policy,
    limits: () => seriesLimits(current.config.limits),
    hashSeed: randomSeed(),
    logger,
  });
  stack.defer(() => store.close());
  watchStore(self, clock, { stats: () => store.stats(), encrypted: keys !== undefined, dataDir });
  const upkeep = createUpkeep(store, { logger });
  stack.use(startLoop({ clock, logger, name: 'store upkeep', everyMs: UPKEEP_MS, firstAfterMs: UPKEEP_MS, step: upkeep.step }));
  const db = await openDb(stateSource(config.state, dataDir, keys));
  stack.defer(() => db.close());
  await migrate(db, clock.now());
  const sql = db.kysely;
  const sealing = keys?.cipher.key(AUDIT_SEALING_KEY);
  const keeping = { dataDir, sealing, keptMs: config.retention.audit };
  const watching = { settings: () => current.config.audit, metrics: self, alert: (evaluation: Evaluation) => rules.submit(evaluation) };
  const { audit } = stack.use(await startAudit({ db, clock, logger, ...keeping, ...watching }));
  const going = stack.use(await openOutgoing({ clock, logger, config, metrics: self, audit }));
  const { outbound, programs, ways: outgoing } = going;
  const secrets = await openSecrets({ db, dataDir, sealing: keys?.cipher.key(SECRETS_SEALING_KEY), logger, nowMs: clock.now() });
  self.watch(
    'nines_secrets_unreadable',
    'Secrets in the state database that did not open when they were needed.',
    () => secrets.unreadable,
  );
  const yieldNow = createBreath(clock);
  const engine = createEngine({ ...engineSettings(config.promql), yieldNow });
  const ask = createAsk(engine, store);

  // Samples in; each durable commit wakes the rules that read it.
  const metadata = createMetadataBook();
  stack.use(await keepMetadata({ sql, book: metadata, clock, logger }));
  const aliases = createAliases(config.collect.host.interval);
  const exemplars = stack.use(await startExemplars({ sql, clock, logger, metrics: self, appender: store, ...config.collect.exemplars }));
  const told: OnCommitted[] = [(...commit) => rules.committed(...commit)];
  const onCommitted: OnCommitted = (...commit) => told.forEach((tell) => tell(...commit));
  const ingest = createIngest({ appender: store, clock, metrics: self, exemplars, onCommitted });

  // From an alert to people.
  const externalUrl = config.server.base_url ?? listenUrl(config.server);
  const shared = { db: sql, sql, clock, ids, logger, bus, metrics: self, dataDir, externalUrl, secrets, told };
  const testing = { outbound, audit, checks: () => checks.list() };
  const analytics = stack.use(await openAnalytics({ ...shared, ...testing, samples: ask, aliases, metadata, store, ingest, yieldNow }));
  const onChannels = (next: ReturnType<typeof channels.settings>): void => notify.configure(next);
  const { channels, push } = await openChannelBook({ ...shared, ways: outgoing, onChange: onChannels }, loaded);
  const links = await openLinks(shared);
  const onSilence = async (...change: Parameters<NotifyService['reconsider']>): Promise<void> => {
    await notify.reconsider(...change);
    await escalating.escalation.reconsider(...change);
  };
  const silences = await loadSilences({ ...shared, onChange: onSilence });
  const notify: NotifyService = new NotifyService({
    ...shared,
    db,
    yieldNow,
    settings: channels.settings(),
    links,
    silences,
    flapping: (alert, atMs) => alerting.flapping(alert, atMs),
  });
  const catalogue = { get: (id: string) => services.get(id) };
  const onPastChanged: MaintenanceDeps['onPastChanged'] = (service, span) => promises.recheck(service, span);
  const maintenance = new MaintenanceService({ ...shared, services: catalogue, onBoundary: () => rules.servicesDeclared(), onPastChanged });
  await maintenance.load();
  const escalationSettings = ({ config }: Configuration) => ({ config: config.escalation, routed: channels.routed });
  const escalating: OpenEscalation = await openEscalation({
    ...shared,
    ...outgoing,
    alone: db.kind === 'sqlite',
    pager: notify,
    directory: {
      person: (id) => oncall.roster.people.get(id)?.spec,
      hasSchedule: (id) => oncall.roster.schedules.get(id) !== undefined,
      whoAt: (id, atMs) => oncall.roster.whoAt(id, epochMs(atMs)),
    },
    settings: escalationSettings(loaded),
    contactFault: channels.contactFault,
    serviceName: (id) => services.get(id)?.name ?? id,
    alerting: () => alerting,
    outbox: () => outbox,
    alert: (evaluation) => rules.submit(evaluation),
    lastHeard: (matches) => received.lastHeardMs(matches),
  });
  const following: ((changed: readonly ProblemView[]) => void)[] = [];
  const problems: ProblemService = createProblems({
    ...shared,
    services: () => services,
    onChanged: (changed) => following.forEach((follow) => follow(changed)),
  });
  const alerting: AlertingService = await createAlerting({
    ...shared,
    db,
    yieldNow,
    notify: escalating.telling(notify.notify),
    refuseEscalation: escalating.escalation.refuse,
    problems,
    holdBack: (service, atMs) => maintenance.holding(service, atMs),
    afterCommit: (changed) => {
      outbox.wake();
      notify.committed(changed);
      problems.observe(changed);
      alertmanagers.changed(changed);
    },
  });
  await notify.inhibitBy(config.routing.inhibit_rules, alerting.open());
  const outbox = stack.use(
    createOutbox({
      ...shared,
      db,
      random: randomFraction,
      alone: db.kind === 'sqlite',
      handlers: {
        ...notify.handlers,
        ...escalating.handlers,
        [STATEMENT_TOPIC]: (row) => sender.send(row),
        ...statusHandlers(() => statusPages),
      },
    }),
  );
  notify.connect(outbox);
  stack.use(startLoop({ clock, logger, name: 'notify', everyMs: SECOND_MS, step: async (nowMs) => void (await notify.step(nowMs)) }));
  const undiscovered = self.counter('nines_discovery_failures_total', 'Attempts to discover targets that failed, by kind.');
  const discover = stack.use(createDiscover({ clock, logger, outbound, onFailure: (kind) => undiscovered.add(1, { kind }) }));
  const alertmanagers = stack.use(
    new Alertmanagers({ ...shared, outbound, discover, alerting, factsOf: (ruleId) => rules.factsOf(ruleId) }),
  );
  await alertmanagers.load();
  const { received } = stack.use(await openReceived({ ...shared, alerting }));

  // From a check to the ledger.
  const { availability, imports } = await openLedger({ ...shared, replay: replayFrom(store), services: catalogue, onPastChanged });
  stack.defer(() => availability.stop());
  const { agents, listen } = stack.use(
    await openAgents({
      ...shared,
      config: config.agents,
      report: (results) => checks.reportMany(results),
      written: (spec) => writtenCheckOf(services.specOf(spec.service), spec.id),
    }),
  );
  const checking = await openChecks({
    ...shared,
    query: (expr, atMs, options) => ask.instant(expr, atMs, options),
    ...config.checks,
    ...outgoing,
    ingest,
    record: (result) => availability.record(result),
    isPresent: (location) => agents.isPresent(location),
  });
  const { checks, heartbeats } = checking;
  const services = new Services({
    ...shared,
    ...outgoing,
    enforce: async ({ plans, specs }) => {
      await availability.configure(plans);
      await checking.configure(specs);
      agents.configure(specs, going.forAgents());
    },
  });

  // From samples and states to alerts.
  const ruling = await openRules({
    alone: db.kind === 'sqlite',
    query: (expr, atMs, options) => ask.instant(expr, atMs, options),
    range: (expr, span, options) => ask.range(expr, span, options),
    createAlerting: createMemoryAlerting,
    ...shared,
    ingest,
    alerting,
    teamId: DEFAULT_TEAM,
    processorMs,
    store,
    yieldNow,
    lookbackMs: config.promql.lookback,
    aliases,
    services,
    ledger: availability,
  });
  const { rules, saved: savedRules } = stack.use(ruling);
  const alert = (evaluation: Evaluation): Promise<void> => rules.submit(evaluation);
  const promises = await openSlas({
    ...shared,
    engine,
    queryable: store,
    ledger: availability,
    maintenance,
    services,
    serviceName: (id) => services.get(id)?.name ?? id,
    alert,
    labelsOf: (id) => services.get(id)?.labels ?? {},
    record: (samples) => ingest.appendSamples(samples),
    outbox: () => outbox,
    mailer: channels.mailer,
    sealing: keys?.cipher.key(SIGNING_KEY),
  });
  const { slas, contracts, sender } = promises;
  told.push((_refs, { batch }) => slas.committed(batch), analytics.committed);
  const statusPages = await openStatusPages({
    ...shared,
    ledger: availability,
    maintenance,
    services,
    yieldNow,
    outbox: () => outbox,
    mailer: channels.mailer,
    request: (url, request) => outbound.request(url, request),
    keys: keys?.cipher,
  });
  stack.use(
    availability.onStateChange(async (change) => {
      statusPages.board.wake();
      await rules.serviceChanged(change);
      slas.wake(change.service);
    }),
  );
  stack.use(availability.onFlapping(() => rules.servicesDeclared()));
  const oncall = await openOncall({
    ...shared,
    alert,
    pager: notify,
    wake: () => outbox.wake(),
    contactFault: channels.contactFault,
    yieldNow,
  });
  const recovering = await openRecovery({ ...shared, ledger: availability, maintenance, services, checks, alert, programs });
  const withConfig = configFile === undefined ? [] : ['--config', configFile];
  const backups = stack.use(
    new Backups({
      ...shared,
      version: VERSION,
      sources: liveSources(dataDir, store, db),
      config: config.backups,
      verify: (dir, signal) => examineInChild(['backup', 'verify', dir, ...withConfig], signal, embedded),
    }),
  );
  stack.use(startLoop({ clock, logger, name: 'backups', everyMs: WORKER_STEP_MS, step: (nowMs) => backups.step(nowMs) }));

  // The configuration, at start and at each reload: what can refuse comes first, then everything is swapped.
  const scrapes = createScrapeManager({ clock, logger, ingest, outbound, metadata, metrics: self, discover, yieldNow });
  const apply = async (next: Configuration): Promise<void> => {
    going.configure(next.config.outbound);
    const putChannelsInForce = channels.prepare(next);
    await rules.configure({
      config: next.config.rules,
      groups: next.ruleGroups,
      externalLabels: next.externalLabels,
      hasRoutingTree: next.config.routing.tree !== undefined,
      placeOf: next.place,
    });
    notify.configure(putChannelsInForce());
    await notify.inhibitBy(next.config.routing.inhibit_rules, alerting.open());
    await escalating.configure(escalationSettings(next), next.policies);
    received.configure(next.config.routing);
    sender.configure(next.config.statements);
    promises.templates.declare(next.config.report_templates);
    backups.configure(next.config.backups);
    recovering.recovery.configure(next.config.recovery);
    await analytics.configure(next.config.analytics);
    await oncall.roster.declare(next.oncall);
    await services.declare(next.services);
    await maintenance.declare(next.maintenance);
    await rules.servicesDeclared();
    await contracts.declare(next.slas);
    await statusPages.pages.declare(next.statusPages);
    alertmanagers.configure(next.scrapes.files.map(({ alerting: settings }) => settings));
    await scrapes.apply(next.scrapes.files);
    current = next;
  };
  await apply(loaded);
  await secrets.scrub();
  stack.use(await problems.run(alerting.open()));
  const incidents = await openIncidents({
    ...shared,
    problems,
    services,
    ledger: availability,
    alerts: alerting,
    slasOf: (service) => contracts.about(service),
    pager: notify,
    sent: () => outbox.wake(),
    keptMs: config.retention.incidents,
  });
  following.push((changed) => incidents.incidents.notice(changed));
  rules.catchUp();
  stack.use(startLoop({ clock, logger, name: 'maintenance', everyMs: MAINTENANCE_STEP_MS, step: (nowMs) => maintenance.step(nowMs) }));
  stack.use(startLoop({ clock, logger, name: 'ledger', everyMs: LEDGER_STEP_MS, step: (nowMs) => availability.step(nowMs) }));
  stack.use(escalating.run());
  stack.use(promises.run());
  stack.use(statusPages.run());
  stack.use(checking);
  for (const part of [recovering, analytics, oncall, incidents]) stack.use(part.run());
  stack.use(scrapes);
  const sources = { ingest, query: ask, metadata, aliases, process: processWatch };
  const collecting = stack.use(await startCollecting({ ...shared, ...sources, config: config.collect, held: embedded }));
  const alertHistory = stack.use(
    openAlertHistory({
      ...shared,
      query: ask,
      readsOf: (ruleId) => rules.readsOf(ruleId),
      instance: collecting.instance,
      keptMs: config.retention.alerts,
      others: [(beforeMs, limit) => purgeNotifications(sql, beforeMs, limit), (beforeMs, limit) => problems.purge(beforeMs, limit)],
    }),
  );
  return {
    shared,
    db,
    agents,
    alertHistory,
    alerting,
    alertmanagers,
    aliases,
    analytics,
    ask,
    audit,
    availability,
    backups,
    checking,
    checks,
    collecting,
    contracts,
    discover,
    engine,
    escalating,
    exemplars,
    heartbeats,
    imports,
    incidents,
    ingest,
    keys,
    links,
    channels,
    maintenance,
    metadata,
    notify,
    oncall,
    outbound,
    outbox,
    problems,
    promises,
    push,
    received,
    recovering,
    rules,
    savedRules,
    scrapes,
    services,
    silences,
    slas,
    statusPages,
    store,
    upkeep,
    yieldNow,
    listen,
    self,
    withConfig,
    config: () => current,
    apply,
  };
}
