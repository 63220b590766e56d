import { messageOf } from '@nines/base/errors.ts';
import { epochMs } from '@nines/base/units.ts';
import { accessRoutes } from './access/routes.ts';
import { agentRoutes } from './agents/routes.ts';
import { alertHistoryRoutes } from './alerting/history-routes.ts';
import { ownersOf } from './alerting/owners.ts';
import { alertRoutes, alertsFor } from './alerting/routes.ts';
import { alertmanagerApiRoutes } from './alertmanager-api/routes.ts';
import { alertmanagerRoutes } from './alertmanagers/routes.ts';
import { analyticsRoutes } from './analytics/routes.ts';
import { auditRequests } from './audit/hook.ts';
import { auditRoutes } from './audit/routes.ts';
import { SIGNAL, SYSTEM } from './audit/service.ts';
import { availabilityRoutes } from './availability/routes.ts';
import { examineInChild } from './backups/child.ts';
import { backupRoutes } from './backups/routes.ts';
import { factorRoutes } from './factors/routes.ts';
import { heartbeatRoutes } from './checks/heartbeats/routes.ts';
import { checkRoutes } from './checks/routes.ts';
import { pushGatewayRoutes } from './collect/pushgateway/routes.ts';
import { collectRoutes } from './collect/routes.ts';
import { type Configuration, configPath } from './config.ts';
import { namedFiles, pendingKeys } from './config-effect.ts';
import { type Reloaded, Reloading } from './configuration/reload.ts';
import { configurationRoutes } from './configuration/routes.ts';
import { Configurations } from './configuration/service.ts';
import { escalationRoutes } from './escalation/routes.ts';
import { exportRoutes } from './exports/routes.ts';
import { healthOf } from './health-of.ts';
import { incidentRoutes } from './incidents/routes.ts';
import { insightRoutes } from './insights/routes.ts';
import { openInsights } from './insights/start.ts';
import { maintenanceRoutes } from './maintenance/routes.ts';
import { answerRoutes } from './notify/answer-routes.ts';
import { Callbacks } from './notify/callbacks.ts';
import { routingOf } from './notify/written.ts';
import { channelRoutes } from './notify/made/routes.ts';
import { notifyRoutes } from './notify/routes.ts';
import { routingRoutes } from './notify/routing-routes.ts';
import { startHealthChecks } from './ops/health-checks/start.ts';
import { statesCounted } from './ops/parts.ts';
import { declarationOf, namingOf, otherNamesOf, usesOfChannel } from './objects-of.ts';
import { objectRoutes } from './objects/routes.ts';
import { oncallRoutes } from './oncall/routes.ts';
import { prometheusStatusRoutes } from './ops/prometheus.ts';
import { opsRoutes } from './ops/routes.ts';
import { supportRoutes } from './ops/support-routes.ts';
import { retentionPolicy } from './ops/retention.ts';
import { openEntry } from './entry.ts';
import { Preferences } from './home/preferences.ts';
import { homeRoutes } from './home/routes.ts';
import { openHome } from './home/start.ts';
import { foreignTo, insideOf } from './inside.ts';
import type { AppOptions, Parts } from './parts.ts';
import { directoryRoutes } from './people/directory-routes.ts';
import { peopleRoutes } from './people/routes.ts';
import type { Actor, Http } from './platform/http/contract.ts';
import { createHttp } from './platform/http/server.ts';
import { openSurface } from './platform/http/surface.ts';
import { servePages, webDir } from './platform/http/static.ts';
import { type LiveStream, serveStream } from './platform/http/stream.ts';
import { createThrottle } from './platform/throttle.ts';
import { problemRoutes } from './problems/routes.ts';
import { queryRoutes } from './query/routes.ts';
import { recoveryRoutes } from './recovery/routes.ts';
import { dashboardRoutes } from './dashboards/routes.ts';
import { deliveryRoutes } from './dashboards/deliveries/routes.ts';
import { embedRoutes } from './dashboards/embeds/routes.ts';
import { openDashboards, openDrawings } from './dashboards/start.ts';
import { widgetRoutes } from './widgets/routes.ts';
import { Widgets } from './widgets/service.ts';
import { deploymentRoutes } from './deployments/routes.ts';
import { Deployments } from './deployments/service.ts';
import { roleRoutes } from './roles/routes.ts';
import { ruleRoutes } from './rules/routes.ts';
import { seriesRoutes } from './series/routes.ts';
import { SeriesService } from './series/service.ts';
import { serviceRoutes } from './services/routes.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { silenceRoutes } from './silences/routes.ts';
import { slaRoutes } from './sla/routes.ts';
import { ssoRoutes } from './sso/routes.ts';
import { statementRoutes } from './sla/statements/routes.ts';
import { statusPageRoutes } from './status-pages/routes.ts';
import { watchExpiry } from './tokens/start.ts';
import { refuseTokensInAddresses, tokenRoutes } from './tokens/routes.ts';
import { transferRoutes } from './transfer/routes.ts';
import { TransferService } from './transfer/service.ts';
import { valueRoutes } from './values/routes.ts';
import { openValues } from './values/start.ts';
import { VERSION } from './version.ts';

export type App = AsyncDisposable & {
  readonly url: string;
  /** The server behind the socket, to be asked without one. */
  readonly http: Pick<Http, 'inject' | 'everyRoute'>;
  /** The one-time link, while nobody can sign in. */
  readonly setupUrl: string | undefined;
  /** Takes the configuration files as they are now; keeps the old configuration and throws when they are bad. */
  reload(): Promise<Reloaded>;
};

/** The product over HTTP: who may come in, every route, and the socket, which closes first. */
export async function serve(
  parts: Parts,
  { loaded, read, dataDir, configFile, open, clock, ids, logger }: AppOptions,
  stack: AsyncDisposableStack,
): Promise<App> {
  const { config } = loaded;
  const {
    shared,
    withConfig,
    db,
    listen,
    agents,
    alerting,
    alertmanagers,
    aliases,
    analytics,
    apply,
    ask,
    audit,
    availability,
    backups,
    checking,
    checks,
    collecting,
    contracts,
    engine,
    escalating,
    exemplars,
    heartbeats,
    imports,
    ingest,
    links,
    maintenance,
    metadata,
    notify,
    oncall,
    outbound,
    promises,
    push,
    received,
    recovering,
    rules,
    scrapes,
    self,
    services,
    silences,
    slas,
    statusPages,
    store,
    yieldNow,
  } = parts;
  const { bus, sql, secrets } = shared;
  const { instance } = collecting;
  // HTTP, last in and first out: nobody is answered by parts that are gone.
  let ready = false;
  const stopping = new AbortController();
  const startedAtMs = clock.now();
  const surface = stack.use(await openSurface({ ...shared, config: config.server, open, baseDir: configPath(configFile, '.'), dataDir }));
  const { secure } = surface;
  const baseUrl = shared.externalUrl;
  const admitting = { record: audit.record, open, secure, outbound, baseUrl, settings: () => parts.config().config.access };
  const second = { secrets, baseUrl: config.server.base_url };
  const refused = self.counter('nines_access_refused_total', 'Tokens that were shown and opened nothing, by why.');
  const onRefused = (reason: string): void => refused.add(1, { reason });
  const preferences = new Preferences(sql);
  const erase: typeof audit.erase = async (trx, by, personId) => {
    await audit.erase(trx, by, personId);
    await preferences.forget(trx, personId);
  };
  const ending = { erase, landingOf: preferences.landingOf, onEnded: () => stream.reexamine() };
  const entry = openEntry({ db, clock, ids, logger, onRefused, ...admitting, second, ...ending });
  stack.use(watchExpiry({ tokens: entry.tokens, clock, logger, alert: (evaluation) => rules.submit(evaluation) }));
  const { access } = entry;
  // A log that cannot be written now keeps nobody out.
  await entry.roles
    .recordDeclared(loaded.roles)
    .catch((thrown: unknown) => logger.error('roles were not recorded', { error: messageOf(thrown) }));
  await entry.roles.declare(loaded.roles);
  audit.knowRoles((role) => entry.roles.permitsOf(role));
  const dashboards = await openDashboards({ db, clock, ids, logger, record: audit.record, declared: loaded.dashboards });
  const hosts = open ? 'loopback' : 'any';
  const { rewrite } = statusPages;
  const inside = insideOf(parts);
  const http = await createHttp({ ...surface, logger, ids, gate: access, hosts, version: VERSION, rewrite, inside });
  refuseTokensInAddresses(http);
  auditRequests(http, { audit, refusals: audit.refusals, clock, logger });
  const stream: LiveStream = serveStream(http, { bus, clock, gate: access, inside });
  const mayRead = (actor: Actor): boolean => access.allows(actor, 'read', 'metrics');
  const values = stack.use(openValues({ ...parts, ...shared, queryable: store, mayRead }));
  stream.follow(values);
  stack.defer(async () => {
    ready = false;
    stopping.abort(new Error('the server is stopping'));
    await stream[Symbol.asyncDispose]();
    await http.close();
  });
  const configurations = new Configurations({ db, clock, secrets, record: audit.record });
  const reloading = new Reloading<Configuration>({
    configurations,
    clock,
    logger,
    read,
    apply: async (next) => {
      await apply(next);
      entry.take();
      await entry.roles.recordDeclared(next.roles);
      await entry.roles.declare(next.roles);
      await dashboards.declare(next.dashboards);
      bus.publish({ topic: 'config', type: 'config.reloaded', atMs: clock.now(), data: null });
    },
    current: parts.config,
    pending: (next) => pendingKeys(config, next.config),
    filesOf: namedFiles,
    append: (entry) => audit.append(entry),
    file: configFile,
  });
  const reload = (by = SIGNAL): Promise<Reloaded> => {
    surface.tls?.reload();
    return reloading.reload(by);
  };
  const states = () => services.list().map(({ id }) => availability.current(id).state);
  const counts = (sees: (labels: Readonly<Record<string, string>>) => boolean) =>
    statesCounted({
      services: () => services.list().flatMap(({ id }) => (sees({ service: id }) ? [availability.current(id).state] : [])),
      slas: async () => (await slas.list(clock.now())).filter(({ service }) => sees({ service })),
      alerts: () =>
        alerting.open().filter((alert) => sees({ ...(alert.service === null ? {} : { service: alert.service }), ...alert.labels })),
    });
  const series = new SeriesService({ store, sql, clock, ids, logger, metrics: self });
  const { tls } = surface;
  const health = healthOf(parts, dataDir);
  health.register('series', () => series.health());
  if (tls !== undefined) health.register('certificate', () => tls.health());
  opsRoutes(http, {
    clock,
    health,
    version: VERSION,
    startedAtMs,
    isReady: () => ready,
    config: () => parts.config().config,
    reload,
    counts,
  });
  prometheusStatusRoutes(http, {
    clock,
    startedAtMs,
    health,
    config: () => parts.config().config,
    configRead: () => reloading.configRead,
    damage: () => store.stats().damage,
  });
  const watched = { query: ask, resolve: aliases.resolve, instance, health, states, unreachable: () => checking.unreachable() };
  stack.use(startHealthChecks(http, { clock, logger, bus, ingest, config: config.health, ...watched }));
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  directoryRoutes(http, { ...entry, url: () => baseUrl, mailer: parts.channels.firstMailer });
  sessionRoutes(http, entry);
  ssoRoutes(http, entry);
  if (entry.second !== undefined)
    factorRoutes(http, { ...entry.second, mayTouch: (by, id) => entry.directory.mayTouch(by, id), cookie: entry.cookie, secure });
  tokenRoutes(http, entry.tokens);
  roleRoutes(http, entry.roles);
  const sources = { parts, dashboards, roles: entry.roles };
  objectRoutes(http, {
    naming: () => namingOf(sources),
    namesOf: (of) => otherNamesOf(parts, of),
    declarationOf: (of) => declarationOf(sources, of),
    gate: access,
    inside,
  });
  auditRoutes(http, { audit, clock });
  configurationRoutes(http, { configurations, reloading, config: () => parts.config().config });
  const home = await openHome({
    ...shared,
    scrapes,
    labelsOfRef: (ref) => store.labelsOfRef(ref),
    standing: () => ({
      services: services.list().map(({ id }) => id),
      slas: slas.specs([]).map(({ id }) => id),
      statusPages: statusPages.pages.list().map(({ spec }) => spec.id),
    }),
    channels: () => notify.channelViews(),
  });
  homeRoutes(http, { home, preferences });
  collectRoutes(http, {
    clock,
    ingest,
    arriving: home.arrivals.through,
    self,
    metadata,
    aliases,
    query: ask,
    instance,
    scrapes,
    metricsOpen: config.server.metrics_open,
    otlp: config.otlp,
    inTurn: surface.ingestTurn,
  });
  pushGatewayRoutes(http, collecting.pushGateway);
  queryRoutes(http, {
    engine,
    queryable: store,
    exemplars,
    metadata,
    clock,
    externalLabels: () => parts.config().externalLabels,
    lookbackMs: config.promql.lookback,
    keptMs: retentionPolicy(config.retention).longestMs,
    yieldNow,
    metrics: self,
    version: VERSION,
  });
  valueRoutes(http, { values, streams: stream });
  analyticsRoutes(http, analytics);
  const { channels } = parts;
  const drawings = await openDrawings({
    ...shared,
    db,
    outbox: parts.outbox,
    mailer: (channel) => (channel === undefined ? channels.firstMailer() : channels.mailer(channel)),
    channels: () => channels.inForce().channels.flatMap(({ id, kind }) => (kind === 'email' ? [id] : [])),
    record: audit.record,
    dashboards,
    query: ask,
    services,
    ledger: availability,
    slas,
    slaTrend: (sla, fromMs, toMs) =>
      promises.statements.trend({ sla, zone: 'UTC', period: { fromMs: epochMs(fromMs), toMs: epochMs(toMs) } }),
    checks,
    stateOfCheck: (check) => availability.currentOfCheck(check).state,
    alerting,
    incidents: parts.incidents.incidents,
    yieldNow,
    actorOf: entry.actorNow,
    mayRead: (actor, area) => access.allows(actor, 'read', area),
  });
  stack.use(drawings);
  dashboardRoutes(http, dashboards, drawings);
  embedRoutes(http, drawings.embeds);
  deliveryRoutes(http, drawings.deliveries);
  widgetRoutes(http, new Widgets({ db, clock, ids, usedBy: (widget) => dashboards.drawnWith(widget) }));
  deploymentRoutes(http, new Deployments({ db, clock, ids, bus, services }));
  const examined = { services, aliases: aliases.list, rules: () => rules.written, watch: () => parts.config().config.analytics.watch };
  insightRoutes(http, stack.use(openInsights({ ...shared, ...examined, samples: ask, ask: analytics.ask })));
  seriesRoutes(http, { series });
  const violations = slas.violationPages.bind(slas);
  exportRoutes(http, { clock, yieldNow, queryable: store, ledger: availability, services, violations, alertsFor: alertsFor(alerting) });
  transferRoutes(http, { transfer: new TransferService({ store, clock, logger, metrics: self }) });
  checkRoutes(http, { checks, failures: checking.failures, ledger: availability, clock });
  heartbeatRoutes(http, { heartbeats });
  serviceRoutes(http, { services, ledger: availability, imports, checks, maintenance, alerting, clock });
  availabilityRoutes(http, { availability, imports, clock, onPastChanged: promises.recheck, ...recovering });
  recoveryRoutes(http, recovering);
  agentRoutes(http, { agents });
  maintenanceRoutes(http, { maintenance, clock });
  oncallRoutes(http, { ...oncall, clock, mayChange: (actor) => access.allows(actor, 'operate', 'oncall') });
  slaRoutes(http, { slas, contracts, clock });
  statementRoutes(http, { ...promises, clock, serviceName: (id) => services.get(id)?.name ?? id });
  statusPageRoutes(http, { ...statusPages, clock, throttle: createThrottle(), secure });
  ruleRoutes(http, { rules, saved: parts.savedRules, alerting });
  alertmanagerRoutes(http, { alertmanagers });
  const routing = () => routingOf(parts.channels.inForce());
  const scoping = { isForeign: foreignTo(services), inside };
  alertmanagerApiRoutes(http, { received, silences, inhibiting: notify.inhibiting, alerting, clock, startedAtMs, routing, ...scoping });
  silenceRoutes(http, { silences, alerting, clock });
  escalationRoutes(http, { ...escalating, alertOf: (id) => alerting.get(id) });
  alertRoutes(http, { alerting, notifications: notify, clock });
  problemRoutes(http, { problems: parts.problems });
  alertHistoryRoutes(http, { alerting, ...parts.alertHistory, clock });
  incidentRoutes(http, { ...parts.incidents, clock });
  answerRoutes(http, { callbacks: new Callbacks({ ...shared, links, alerting, channels: () => notify.openChannels() }), push, notify });
  notifyRoutes(http, { notify, clock, labelsOf: (alerts) => ownersOf(sql, alerts) });
  channelRoutes(http, { channels: parts.channels, notify, clock, usedBy: (id) => usesOfChannel(sources, id) });
  routingRoutes(http, { notify, clock, config: () => parts.channels.inForce() });
  const doctor = () => examineInChild(['doctor', '--data', dataDir, ...withConfig], stopping.signal);
  backupRoutes(http, { backups, doctor });
  const about = () => ({ version: VERSION, nowMs: clock.now(), config: parts.config().config, dataDir, figures: self.collect() });
  supportRoutes(http, { contents: async () => ({ ...about(), doctor: await doctor(), health: await health.report() }) });
  servePages(http, { directory: webDir(), secure });
  stack.use(await listen());
  await reloading.started(SYSTEM).catch((thrown: unknown) => logger.error('the configuration was not kept', { error: messageOf(thrown) }));
  const listening = await http.listen({ host: config.server.listen.host, port: config.server.listen.port });
  const url = surface.tls === undefined ? listening : listening.replace(/^http:/, 'https:');
  ready = true;

  const setup = open ? undefined : await entry.people.startSetup();
  // The secret stands behind the #, which browsers send nowhere.
  const setupUrl = setup === undefined ? undefined : `${config.server.base_url ?? url}/setup#token=${setup}`;
  return { url, http, setupUrl, reload, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
