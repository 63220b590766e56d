import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { accessConfig } from './access/config.ts';
import { analyticsConfig } from './analytics/config.ts';
import { type DeclaredDashboard, dashboardsConfig, loadDashboardFiles } from './dashboards/files.ts';
import { auditConfig } from './audit/config.ts';
import { agentsConfig } from './agents/contract.ts';
import { backupsConfig } from './backups/contract.ts';
import { followed, isWithin } from './backups/places.ts';
import { healthConfig } from './ops/health-checks/config.ts';
import { checksConfig, SERVER_LOCATION } from './checks/contract.ts';
import { collectConfig, otlpConfig, scrapeConfig } from './collect/contract.ts';
import { loadScrapeFiles, type ScrapeFiles } from './collect/scrape/prometheus-file.ts';
import { NO_POLICY, SHIPPED_IDS, escalationConfig, unknownToEscalation } from './escalation/contract.ts';
import type { DeclaredPolicy } from './escalation/policies.ts';
import { maintenanceConfig, unknownMaintained } from './maintenance/contract.ts';
import type { DeclaredMaintenance } from './maintenance/service.ts';
import { loadAlertmanagerFile } from './notify/alertmanager-file/load.ts';
import { policiesOfRoutes, unknownToRouting } from './notify/config.ts';
import { channelsConfig, routingConfig } from './notify/contract.ts';
import { contactFault } from './notify/channels.ts';
import { oncallConfig, type Person, type ScheduleSpec, unknownToOncall } from './oncall/contract.ts';
import type { Declared } from './oncall/standing.ts';
import { retentionConfig } from './ops/retention.ts';
import { secret } from './platform/config/fields.ts';
import { type Loaded, loadConfig, type Override } from './platform/config/load.ts';
import { outboundConfig } from './platform/fetch/policy.ts';
import type { DbSource } from './platform/db/open.ts';
import { STATE_FILE } from './platform/directory.ts';
import { serverConfig } from './platform/http/server-config.ts';
import type { DataKeys } from './platform/encryption/keys.ts';
import { encryptionConfig } from './platform/encryption/master-key.ts';
import { LOG_LEVELS } from './platform/log.ts';
import { programsConfig, systemUser } from './platform/programs.ts';
import { limitsConfig } from './series/contract.ts';
import { promqlConfig } from './query/contract.ts';
import { type RecoveryKnown, recoveryConfig, unknownToRecovery } from './recovery/contract.ts';
import type { DeclaredRole } from './roles/contract.ts';
import { rulesConfig } from './rules/contract.ts';
import { type LoadedRuleFiles, loadRuleFiles } from './rules/load.ts';
import type { RuleGroup } from './rules/rule-file.ts';
import { servicesConfig } from './services/contract.ts';
import type { DeclaredService } from './services/service.ts';
import { shippedSlas, slaExamplesConfig, slasConfig, unknownExampleServices, unknownServices } from './sla/config.ts';
import type { DeclaredSla } from './sla/contracts.ts';
import { loadDefinitions } from './sla/definitions/load.ts';
import { lintSla } from './sla/lint.ts';
import { reportTemplatesConfig } from './sla/reports/template.ts';
import { statementsConfig, unknownNames } from './sla/statements/schedule.ts';
import { statusPagesConfig, unknownToPages } from './status-pages/contract.ts';
import { readLogos } from './platform/logo.ts';
import type { DeclaredStatusPage } from './status-pages/pages.ts';

/** The whole configuration: one section per domain, each owned by its domain's contract. Everything has a default. */

const stateConfig = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('sqlite') }),
    z.strictObject({
      kind: z.literal('postgresql'),
      url: secret.refine((url) => /^postgres(ql)?:\/\//.test(url.reveal()), 'write postgresql://…'),
    }),
  ])
  .prefault({ kind: 'sqlite' });

const logConfig = z
  .strictObject({
    level: z.enum(LOG_LEVELS).default('info'),
    /** `auto`: text on a terminal, JSON elsewhere. */
    format: z.enum(['auto', 'json', 'text']).default('auto'),
  })
  .prefault({});

export const configSchema = z.strictObject({
  server: serverConfig,
  /** Who may come in, and how. */
  /** The data directory, relative to the configuration file; `--data` wins. */
  data: z.string().min(1).optional(),
  state: stateConfig,
  access: accessConfig,
  /** The key that samples and state are encrypted with at rest. */
  encryption: encryptionConfig,
  log: logConfig,
  retention: retentionConfig,
  backups: backupsConfig,
  limits: limitsConfig,
  promql: promqlConfig,
  channels: channelsConfig,
  routing: routingConfig,
  /** Who is to be woken, and when. */
  oncall: oncallConfig,
  /** Who is told next while nobody takes an alert, who else must know, and signs of life. */
  escalation: escalationConfig,
  /** What checks may run on this machine. */
  checks: checksConfig,
  /** What is done about checks that are down. */
  recovery: recoveryConfig,
  /** Thresholds of the built-in health checks of this host and of Nines. */
  health: healthConfig,
  /** How programs run that checks, channels and recovery actions name. */
  programs: programsConfig,
  /** Where requests may go, by who chose the target. */
  outbound: outboundConfig,
  /** What of the audit log becomes an alert. */
  audit: auditConfig,
  /** Where agents at other places connect. */
  agents: agentsConfig,
  services: servicesConfig,
  slas: slasConfig,
  /** When somebody will work on services. */
  maintenance: maintenanceConfig,
  /** Definitions of OpenSLO, Sloth and Pyrra: each becomes an SLA, with the rules that its own tool would have generated. */
  slo_files: z.array(z.string().min(1)).max(1_000).default([]),
  /** Switches the shipped SLA definitions on, each for the service that plays its role. */
  sla_examples: slaExamplesConfig,
  /** Statements that are issued and mailed when their periods are over. */
  statements: statementsConfig,
  /** How reports over several contracts are laid out as pages and as Markdown. */
  report_templates: reportTemplatesConfig,
  /** What customers see of services. */
  status_pages: statusPagesConfig,
  rules: rulesConfig,
  /** Series that are watched: forecasts and anomaly scores are stored of them. */
  analytics: analyticsConfig,
  /** Dashboards that stand in files, one each. */
  dashboards: dashboardsConfig,
  collect: collectConfig.prefault({}),
  scrape: scrapeConfig.prefault({}),
  /** How OpenTelemetry's names and attributes become series. */
  otlp: otlpConfig.prefault({}),
});
export type Config = z.output<typeof configSchema>;

/** Relative paths in the configuration are relative to its file, without a file to the working directory. */
export const configPath = (file: string | undefined, path: string): string =>
  resolve(file === undefined ? '.' : dirname(resolve(file)), path);

/** Where the data lie when neither the configuration nor a flag says it, relative to the working directory. */
export const DEFAULT_DATA_DIR = 'data';

export type ConfigSource = {
  readonly file?: string | undefined;
  /** Read in place of the file. */
  readonly text?: string | undefined;
  /** The data directory that a flag names, which wins over `data`. */
  readonly dataDir?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly Override[];
};

/** A valid configuration with what its files name. */
export type Configuration = Extract<Loaded<Config>, { readonly ok: true }> & {
  readonly scrapes: ScrapeFiles;
  /** The groups of all rule files, those of Prometheus configurations included. */
  readonly ruleGroups: readonly RuleGroup[];
  /** What tells this installation from others: in answers to other Prometheus servers, and in templates. */
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly services: readonly DeclaredService[];
  readonly slas: readonly DeclaredSla[];
  readonly maintenance: readonly DeclaredMaintenance[];
  readonly policies: readonly DeclaredPolicy[];
  readonly roles: readonly DeclaredRole[];
  readonly dashboards: readonly DeclaredDashboard[];
  readonly statusPages: readonly DeclaredStatusPage[];
  readonly oncall: { readonly people: readonly Declared<Person>[]; readonly schedules: readonly Declared<ScheduleSpec>[] };
};
export type ReadConfiguration = Configuration | Extract<Loaded<Config>, { readonly ok: false }>;

/**
 * Reads and checks the whole configuration, the rule files and Prometheus files it names included. Files that a list names
 * and nobody finds are warnings.
 */
export function readConfig(source: ConfigSource): ReadConfiguration {
  const loaded = loadConfig({ schema: configSchema, ...source });
  if (!loaded.ok) return loaded;
  const { place, problemAt } = loaded;
  const baseDir = configPath(source.file, '.');
  const brought = withAlertmanagerFile(loaded.config, source);
  const { config } = brought;
  const scrapes = loadScrapeFiles(config.scrape.files, baseDir);
  const rules = ruleFilesOf(config, scrapes, baseDir);
  const definitions = loadDefinitions(config.slo_files, {
    baseDir,
    taken: new Set(config.slas.map(({ id }) => id)),
    intervalMs: config.rules.evaluation_interval,
  });
  const serviceIds = new Set(config.services.map(({ id }) => id));
  const broughtServices = definitions.services.filter(({ spec }) => !serviceIds.has(spec.id));
  const dashboards = loadDashboardFiles(config.dashboards.files, baseDir);
  const logos = readLogos(config.status_pages, baseDir);
  const orphans = unknownServices(config.slas, serviceIds);
  const problems = [
    ...orphans.map(({ index, message }) => problemAt(['slas', index, 'service'], message)),
    ...unknownExampleServices(config.sla_examples, serviceIds).map(({ role, message }) => problemAt(['sla_examples', role], message)),
    ...misplacedBackups(config, source).map((message) => problemAt(['backups', 'to'], message)),
    ...unknownIn(config, source).map(({ path, message }) => problemAt(path, message)),
    ...logos.problems.map(({ index, message }) => problemAt(['status_pages', index, 'logo'], message)),
    ...brought.problems,
    ...unknownToRouting(config.channels, loaded.config.routing).map(({ path, message }) => problemAt(path, message)),
    ...scrapes.problems,
    ...rules.problems,
    ...definitions.problems,
    ...dashboards.problems,
  ];
  if (problems.length > 0) return { ok: false, problems };
  const placed = placing(loaded);
  const unfound = rules.warnings.map((message) => problemAt(['rules', 'files'], message));
  return {
    ...loaded,
    config: { ...config, backups: resolved(config.backups, baseDir) },
    warnings: [
      ...loaded.warnings,
      ...brought.warnings,
      ...scrapes.warnings,
      ...unfound,
      ...doubtsOfEscalation(config).map(({ path, message }) => problemAt(path, message)),
      ...lintedSlas(config, problemAt),
      ...definitions.warnings,
      ...dashboards.warnings,
    ],
    dashboards: dashboards.dashboards,
    scrapes,
    externalLabels: externalLabelsOf(config, scrapes),
    roles: placed(config.access.roles, ['access', 'roles']),
    policies: placed(config.escalation.policies, ['escalation', 'policies']),
    maintenance: placed(config.maintenance, ['maintenance']),
    oncall: declaredOncall(config, placed),
    statusPages: config.status_pages.map((spec, index) => ({
      spec,
      place: place(['status_pages', index]),
      logo: logos.found.get(spec.id),
    })),
    ruleGroups: [...rules.groups, ...definitions.ruleGroups],
    services: [...placed(config.services, ['services']), ...broughtServices],
    slas: [
      ...placed(config.slas, ['slas']),
      ...definitions.slas,
      ...shippedSlas(config.sla_examples, config.slas).map((spec) => ({ spec, place: place(['sla_examples']) })),
    ],
  };
}

type Placing = <T>(specs: readonly T[], path: readonly string[]) => { readonly spec: T; readonly place: string }[];

const placing =
  ({ place }: { readonly place: (path: readonly (string | number)[]) => string }): Placing =>
  (specs, path) =>
    specs.map((spec, index) => ({ spec, place: place([...path, index]) }));

const declaredOncall = ({ oncall }: Config, placed: Placing): Configuration['oncall'] => ({
  people: placed(oncall.people, ['oncall', 'people']),
  schedules: placed(oncall.schedules, ['oncall', 'schedules']),
});

/** The configuration with the channels and the routing of an `alertmanager.yml` that it names. */
function withAlertmanagerFile(config: Config, { file }: ConfigSource) {
  const named = config.routing.alertmanager_file;
  if (named === undefined) return { config, problems: [], warnings: [] };
  const read = loadAlertmanagerFile(configPath(file, named), new Set(config.channels.map(({ id }) => id)));
  if (!('routing' in read)) return { config, problems: read, warnings: [] };
  const { channels, routing, problems, warnings } = read;
  const own = config.routing;
  const merged = {
    ...own,
    ...routing,
    receivers: [...own.receivers, ...routing.receivers],
    inhibit_rules: [...own.inhibit_rules, ...routing.inhibit_rules],
    time_intervals: [...own.time_intervals, ...routing.time_intervals],
    mute_time_intervals: [...own.mute_time_intervals, ...routing.mute_time_intervals],
  };
  return {
    config: { ...config, channels: [...config.channels, ...channels], routing: merged },
    problems,
    warnings,
  };
}

/** What sections name and others would have to declare. */
function unknownIn(
  config: Config,
  source: ConfigSource,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const services = new Set(config.services.map(({ id }) => id));
  const bySection = {
    maintenance: unknownMaintained(config.maintenance, services),
    statements: unknownNames(config.statements, namesOf(config)),
    status_pages: unknownToPages(config.status_pages, { services, emails: emailsOf(config), host: ownHost(config) }),
    oncall: unknownToOncall(config.oncall, (contact) => contactFault(config.channels, contact)),
    recovery: unknownToRecovery(config.recovery, knownToRecovery(config, source)),
    escalation: unknownToEscalation(config.escalation, { contactFault: (contact) => contactFault(config.channels, contact) }),
  };
  const found = Object.entries(bySection).flatMap(([section, faults]) =>
    faults.map(({ path, message }) => ({ path: [section, ...path], message })),
  );
  const { run_as: user } = config.programs;
  const isKnown = user === undefined || systemUser(user) !== undefined;
  const missing = isKnown ? [] : [{ path: ['programs', 'run_as'], message: `there is no user "${user}" on this machine` }];
  return [...found, ...unlistedCommands(config), ...missing];
}

/** People, schedules and policies that the file names and does not declare: they may have been made over the API. */
function doubtsOfEscalation({ escalation, oncall, routing }: Config): readonly { path: readonly (string | number)[]; message: string }[] {
  const people = new Set(oncall.people.map(({ id }) => id));
  const schedules = new Set(oncall.schedules.map(({ id }) => id));
  const declared = unknownToEscalation(escalation, { contactFault: () => undefined, people, schedules });
  const policies = new Set<string>([...SHIPPED_IDS, NO_POLICY, ...escalation.policies.map(({ id }) => id)]);
  const routes = policiesOfRoutes(routing).filter(({ policy }) => !policies.has(policy));
  return [
    ...declared.map(({ path, message }) => ({ path: ['escalation', ...path], message: `${message} in this file` })),
    ...routes.map(({ path, policy }) => ({ path, message: `there is no escalation policy "${policy}" in this file` })),
  ];
}

/** Checks of kind `script` that would be refused at every attempt. */
function unlistedCommands({
  services,
  checks,
}: Config): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return services.flatMap((service, s) =>
    service.checks.flatMap((check, c) => {
      if (check.kind !== 'script' || checks.commands.includes(check.command[0])) return [];
      // Agents have a list of their own.
      if (check.locations?.includes(SERVER_LOCATION) === false) return [];
      return [{ path: ['services', s, 'checks', c, 'command'], message: `${check.command[0]} is not listed under checks.commands` }];
    }),
  );
}

const dataDirOf = ({ data }: Config, { file, dataDir }: ConfigSource): string =>
  resolve(dataDir ?? (data === undefined ? DEFAULT_DATA_DIR : configPath(file, data)));

/** What recovery actions may name. */
function knownToRecovery(config: Config, source: ConfigSource): RecoveryKnown {
  const ours = followed(dataDirOf(config, source));
  return {
    checks: new Set(config.services.flatMap(({ checks }) => checks.map(({ id }) => id))),
    isOurs: (folder) => isWithin(ours, followed(folder)) || isWithin(followed(folder), ours),
    isUser: (name) => systemUser(name) !== undefined,
  };
}

/** A backup inside of what it copies would hold the backup before it, and is gone when the directory is. */
function misplacedBackups(config: Config, source: ConfigSource): readonly string[] {
  const { backups } = config;
  if (backups.to === undefined) return [];
  const dir = dataDirOf(config, source);
  if (!isWithin(followed(dir), followed(configPath(source.file, backups.to)))) return [];
  return [`${backups.to} lies in the data directory ${dir}; name a directory outside of it, best on another disk`];
}

const resolved = (backups: Config['backups'], baseDir: string): Config['backups'] =>
  backups.to === undefined ? backups : { ...backups, to: resolve(baseDir, backups.to) };

const lintedSlas = ({ slas }: Config, problemAt: Extract<Loaded<Config>, { readonly ok: true }>['problemAt']) =>
  slas.flatMap((spec, index) => lintSla(spec).map((message) => problemAt(['slas', index, 'target'], message)));

const ownHost = ({ server }: Config): string | undefined => (server.base_url === undefined ? undefined : new URL(server.base_url).hostname);

const emailsOf = ({ channels }: Config): ReadonlySet<string> =>
  new Set(channels.filter(({ kind }) => kind === 'email').map(({ id }) => id));

/** What schedules of statements may name. */
const namesOf = ({ slas, sla_examples: examples, channels, report_templates: templates }: Config): Parameters<typeof unknownNames>[1] => ({
  slas: new Set([...slas, ...shippedSlas(examples, slas)].map(({ id }) => id)),
  templates: new Set(templates.map(({ id }) => id)),
  channels: new Set(channels.filter(({ kind }) => kind === 'email' || kind === 'webhook').map(({ id }) => id)),
});

/** Those of `rules`, and those of Prometheus configurations; what two of these say differently is said of neither. */
function externalLabelsOf({ rules }: Config, { files }: ScrapeFiles): Readonly<Record<string, string>> {
  const brought = files.flatMap(({ externalLabels }) => Object.entries(externalLabels));
  const agreed = brought.filter(([name, value]) => brought.every(([other, its]) => other !== name || its === value));
  return { ...Object.fromEntries(agreed), ...rules.external_labels };
}

/** Our own rule files, and those that Prometheus configurations bring along, whose groups keep the interval that stands there. */
function ruleFilesOf(config: Config, { files }: ScrapeFiles, baseDir: string): LoadedRuleFiles {
  const own = loadRuleFiles(config.rules.files, {
    baseDir,
    externalLabels: config.rules.external_labels,
    defaultIntervalMs: config.rules.evaluation_interval,
  });
  const brought = files.map(({ file, ruleFiles, evaluationIntervalMs, externalLabels }) => {
    const read = loadRuleFiles(ruleFiles, { baseDir, defaultIntervalMs: evaluationIntervalMs, externalLabels });
    return { ...read, groups: read.groups.map((group) => ({ ...group, broughtBy: file })) };
  });
  const all = [own, ...brought];
  // A file that two of them name is taken once.
  const groups = new Map(all.flatMap((read) => read.groups.map((group) => [`${group.file}\0${group.name}`, group] as const)));
  return {
    groups: [...groups.values()],
    problems: all.flatMap(({ problems }) => problems),
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}

/** Where the state database is: `DATA/state`, encrypted when there are keys, unless the configuration names a PostgreSQL. */
export const stateSource = (state: Config['state'], dataDir: string, keys: DataKeys | undefined): DbSource =>
  state.kind === 'sqlite'
    ? { kind: 'sqlite', path: join(dataDir, STATE_FILE), key: keys?.stateKey }
    : { kind: 'postgresql', url: state.url.reveal() };

/** The address of a server that nobody gave another one. */
export const listenUrl = ({ listen: { host, port }, tls }: Config['server']): string =>
  `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
