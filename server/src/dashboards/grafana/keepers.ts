/**
 * Files for those who keep Grafana and Prometheus beside Nines: dashboards, data source and providers to provision, what scrapes Nines,
 * rules, and both as ConfigMaps. Pure: what is shown is handed in, files come out.
 */
import { formatDuration } from '@nines/base/duration.ts';
import { stringify } from 'yaml';
import type { DashboardSpec, Panel } from '../model.ts';
import { exportGrafana } from './export.ts';
import { type Fields, fieldsAt, listAt, numberAt, objectsAt, textAt, valueAt } from './fields.ts';

export type KeptFile = { readonly path: string; readonly text: string };

export type KeeperInput = {
  readonly dashboards: readonly DashboardSpec[];
  /** The items of `GET /api/rules`. */
  readonly rules: readonly unknown[];
  /** Dotted names, which Prometheus does not know, by what they stand for. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Where Grafana and Prometheus reach Nines. */
  readonly url: string;
};

export type KeeperFiles = {
  readonly files: readonly KeptFile[];
  /** Rules that no expression of Prometheus says, by name with the reason. */
  readonly left: readonly string[];
};

const HEADER = '# Made by nines export grafana. Run it again after changes.\n';
/** The largest object that Kubernetes keeps, less room for its other fields. */
const MAX_CONFIG_MAP_BYTES = 1_000_000;

export function keeperFiles({ dashboards, rules, aliases, url }: KeeperInput): KeeperFiles {
  const drawn = dashboards.map((spec) => ({ id: spec.id, text: `${JSON.stringify(exportGrafana(plainNames(spec, aliases)), null, 2)}\n` }));
  const { groups, left } = ruleGroups(rules, aliases);
  const source = yaml(sourceOf(url));
  const scrape = yaml(scrapeOf(url));
  const ruleText = yaml({ groups });
  const files: KeptFile[] = [
    ...drawn.map(({ id, text }) => ({ path: `grafana/dashboards/${id}.json`, text })),
    { path: 'grafana/provisioning/datasources/nines.yml', text: source },
    { path: 'grafana/provisioning/dashboards/nines.yml', text: yaml(PROVIDER) },
    { path: 'prometheus/prometheus.yml', text: scrape },
    { path: 'prometheus/rules/nines.yml', text: ruleText },
    {
      path: 'kubernetes/grafana-datasource.yml',
      text: yaml(configMap('nines-datasource', { 'nines.yml': source }, { grafana_datasource: '1' })),
    },
    {
      path: 'kubernetes/prometheus.yml',
      text: yaml(configMap('nines-prometheus', { 'prometheus.yml': scrape, 'nines.rules.yml': ruleText }, {})),
    },
  ];
  const maps = drawn.map(({ id, text }) =>
    yaml(configMap(`nines-dashboard-${kubernetesName(id)}`, { [`${id}.json`]: text }, { grafana_dashboard: '1' })),
  );
  const tooLarge = drawn.filter((_one, at) => Buffer.byteLength(maps[at] ?? '') > MAX_CONFIG_MAP_BYTES).map(({ id }) => id);
  const small = maps.filter((text) => Buffer.byteLength(text) <= MAX_CONFIG_MAP_BYTES);
  files.push({ path: 'kubernetes/grafana-dashboards.yml', text: small.join('---\n') });
  return { files, left: [...left, ...tooLarge.map((id) => `the ConfigMap of ${id}: it is larger than Kubernetes keeps`)] };
}

const yaml = (value: unknown): string => `${HEADER}${stringify(value, { lineWidth: 0 })}`;

/** Names of objects: small letters, digits, `-`. */
const kubernetesName = (id: string): string =>
  id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 200);

const configMap = (name: string, data: Fields, labels: Fields): Fields => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { 'app.kubernetes.io/part-of': 'nines', ...labels } },
  data,
});

/** The token is read from the environment of Grafana: it belongs into no file. */
const sourceOf = (url: string): Fields => ({
  apiVersion: 1,
  datasources: [
    {
      name: 'Nines',
      uid: 'nines',
      type: 'prometheus',
      access: 'proxy',
      url,
      jsonData: { httpMethod: 'POST', timeInterval: '15s', prometheusType: 'Prometheus', httpHeaderName1: 'Authorization' },
      secureJsonData: { httpHeaderValue1: 'Bearer $NINES_TOKEN' },
    },
  ],
});

const PROVIDER: Fields = {
  apiVersion: 1,
  providers: [
    {
      name: 'Nines',
      folder: 'Nines',
      type: 'file',
      allowUiUpdates: true,
      updateIntervalSeconds: 30,
      options: { path: '/var/lib/grafana/dashboards/nines' },
    },
  ],
};

/** Everything Nines has is offered by `/federate`, with the labels that it has there. The token lies beside the file. */
function scrapeOf(url: string): Fields {
  const { protocol, host } = new URL(url);
  return {
    rule_files: ['rules/nines.yml'],
    scrape_configs: [
      {
        job_name: 'nines-federate',
        honor_labels: true,
        scrape_interval: '15s',
        metrics_path: '/federate',
        params: { 'match[]': ['{__name__=~".+"}'] },
        scheme: protocol.replace(':', ''),
        authorization: { type: 'Bearer', credentials_file: 'nines-token' },
        static_configs: [{ targets: [host] }],
      },
    ],
  };
}

function ruleGroups(
  rules: readonly unknown[],
  aliases: ReadonlyMap<string, string>,
): { readonly groups: readonly Fields[]; readonly left: readonly string[] } {
  const left: string[] = [];
  // A saved rule of Prometheus' form goes as it is, in the group that it is here.
  const saved = rules.filter(isSavedAsInFile);
  const written = rules.flatMap((rule) => {
    if (isSavedAsInFile(rule)) return [];
    const found = rulesOf(rule, aliases);
    if (found.length === 0) left.push(`the rule ${textAt(rule, 'name')}: ${reasonOf(rule)}`);
    return found;
  });
  return { groups: [{ name: 'nines', interval: '15s', rules: written }, ...saved.map((rule) => groupOf(rule, aliases))], left };
}

const isAsInFile = (rule: unknown): boolean => ['alerting', 'recording'].includes(textAt(rule, 'kind'));
const isSavedAsInFile = (rule: unknown): boolean => textAt(rule, 'origin') === 'ui' && isAsInFile(rule) && textAt(rule, 'query') !== '';

function groupOf(rule: unknown, aliases: ReadonlyMap<string, string>): Fields {
  const lengthAt = (key: string): Fields => {
    const lengthMs = numberAt(rule, 'spec', `${key}_ms`) ?? 0;
    return lengthMs > 0 ? { [key]: formatDuration(lengthMs) } : {};
  };
  const textsAt = (key: string): Fields => {
    const texts = fieldsAt(rule, 'spec', key);
    return Object.keys(texts).length === 0 ? {} : { [key]: texts };
  };
  const one = {
    ...(textAt(rule, 'kind') === 'recording' ? { record: textAt(rule, 'name') } : { alert: textAt(rule, 'name') }),
    expr: expanded(textAt(rule, 'query'), aliases),
    ...lengthAt('for'),
    ...lengthAt('keep_firing_for'),
    ...textsAt('labels'),
    ...textsAt('annotations'),
  };
  return { name: `nines/${textAt(rule, 'id')}`, ...lengthAt('interval'), rules: [one] };
}

const reasonOf = (rule: unknown): string =>
  isAsInFile(rule) && textAt(rule, 'origin') === 'file'
    ? 'it stands in a rule file of Prometheus already'
    : `a rule of kind ${textAt(rule, 'kind')} has no expression over series`;

/** Of the ledger: what the series of checks and contracts tell of it. */
const LEDGER: Readonly<Record<string, string>> = {
  ServiceDown: 'max by (service) (probe_success) == 0',
  SlaViolation: 'sla_status{status="violated"} == 1',
};

function rulesOf(rule: unknown, aliases: ReadonlyMap<string, string>): readonly Fields[] {
  const name = textAt(rule, 'name');
  const alert = name.replace(/[^a-zA-Z0-9_]+/g, '_');
  const ledger = Object.hasOwn(LEDGER, name) ? LEDGER[name] : undefined;
  if (ledger !== undefined)
    return [{ alert, expr: ledger, labels: { severity: 'critical' }, annotations: { summary: textAt(rule, 'spec', 'summary') } }];
  const query = expanded(textAt(rule, 'query'), aliases);
  if (query === '' || listAt(rule, 'spec', 'levels').length === 0) return [];
  const forMs = numberAt(rule, 'spec', 'for_ms') ?? 0;
  return objectsAt(rule, 'spec', 'levels').map((level) => ({
    alert,
    expr: `(${query}) ${textAt(level, 'condition')} ${numberAt(level, 'threshold') ?? 0}`,
    ...(forMs > 0 ? { for: formatDuration(forMs) } : {}),
    labels: { ...labelsOf(rule), severity: textAt(level, 'severity') },
    annotations: { summary: `${name}: {{ $value }}` },
  }));
}

function labelsOf(rule: unknown): Fields {
  const labels = fieldsAt(rule, 'spec', 'labels');
  return Object.fromEntries(
    Object.keys(labels).flatMap((name) => (typeof valueAt(labels, name) === 'string' ? [[name, labels[name]]] : [])),
  );
}

/** Dotted names, outside of texts in quotes, become what they stand for. */
export function expanded(expr: string, aliases: ReadonlyMap<string, string>): string {
  const parts = expr.split(/("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/);
  return parts
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part.replace(/(?<![\w.:])[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+(?![\w.])/g, (name) => {
            const stands = aliases.get(name);
            return stands === undefined ? name : `(${stands})`;
          }),
    )
    .join('');
}

function plainNames(spec: DashboardSpec, aliases: ReadonlyMap<string, string>): DashboardSpec {
  const plain = (panel: Panel): Panel => {
    if (panel.kind === 'text' || panel.source.from !== 'promql') return panel;
    const queries = panel.source.queries.map((query) => ({ ...query, expr: expanded(query.expr, aliases) }));
    return { ...panel, source: { ...panel.source, queries } };
  };
  return { ...spec, panels: Object.fromEntries(Object.entries(spec.panels).map(([key, panel]) => [key, plain(panel)])) };
}

/** What each panel asks of Grafana's data source, by the key of the panel; empty for what asks nothing there. */
export function asksOf(spec: DashboardSpec, aliases: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const panels = objectsAt(exportGrafana(plainNames(spec, aliases)), 'panels').flatMap((one) => [one, ...objectsAt(one, 'panels')]);
  return new Map(
    panels.flatMap((panel) => {
      const key = textAt(panel, 'options', 'nines', 'key');
      const exprs = objectsAt(panel, 'targets').flatMap((target) => (textAt(target, 'expr') === '' ? [] : [textAt(target, 'expr')]));
      return key === '' ? [] : [[key, exprs] as const];
    }),
  );
}

/** The dashboard without these panels; undefined when none is left. Free places close up. */
export function without(spec: DashboardSpec, keys: ReadonlySet<string>): DashboardSpec | undefined {
  const panels = Object.fromEntries(Object.entries(spec.panels).filter(([key]) => !keys.has(key)));
  if (Object.keys(panels).length === 0) return undefined;
  const { layout } = spec;
  if (layout.kind === 'custom') {
    const sections = layout.sections.map((one) => ({ ...one, items: one.items.filter(({ panel }) => !keys.has(panel)) }));
    return { ...spec, panels, layout: { ...layout, sections: sections.filter(({ items }) => items.length > 0) } };
  }
  const sections = layout.sections.map((one) => ({ ...one, panels: one.panels.filter((key) => !keys.has(key)) }));
  return { ...spec, panels, layout: { ...layout, sections: sections.filter(({ panels: kept }) => kept.length > 0) } };
}
