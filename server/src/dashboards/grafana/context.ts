/** What a dashboard as a whole says that its panels need: constants to fill in, data sources, which panel is which. */
import { type Fields, isFields, objectsAt, numberAt, textAt } from './fields.ts';
import type { Losses } from './losses.ts';
import { faultOf } from './promql-fault.ts';
import type { WrittenGrafana } from './written.ts';

/** What a query asks: our own store, something that our store cannot answer, or one of Grafana's own. */
export type Asked = 'promql' | 'expression' | 'dashboard' | 'grafana' | { readonly foreign: string };

export type Context = {
  readonly losses: Losses;
  /** Constants of `__inputs` put in, and the old way of writing variables made the new one. */
  readonly fill: (text: string) => string;
  readonly asks: (datasource: unknown) => Asked;
  /** What is wrong with a query in PromQL; '' for nothing. Each text is read once. */
  readonly faultOf: (expr: string) => string;
  readonly panelById: (id: number) => Fields | undefined;
};

/** Targets of a panel are read up to here, five times what a panel of ours may ask. */
export const MAX_TARGETS = 100;

function once(judge: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text) ?? judge(text);
    known.set(text, found);
    return found;
  };
}

/** Plug-ins that speak PromQL. */
const PROMETHEUS = /prometheus|victoriametrics-datasource|^victoriametrics-metrics|mimir|cortex|thanos/i;
const FOREIGN =
  /loki|elastic|opensearch|influx|graphite|opentsdb|tempo|jaeger|zipkin|mysql|postgres|mssql|cloudwatch|stackdriver|azure-monitor|clickhouse|testdata|zabbix|splunk|datadog|infinity|json|pyroscope|parca/i;

export function contextOf(written: WrittenGrafana, losses: Losses): Context {
  const constants = new Map<string, string>();
  const kinds = new Map<string, string>();
  for (const input of written.inputs) {
    const name = textAt(input, 'name');
    if (textAt(input, 'type') === 'datasource') kinds.set(name, textAt(input, 'pluginId') || textAt(input, 'pluginName'));
    else constants.set(name, textAt(input, 'value'));
  }
  for (const one of written.variables)
    if (textAt(one, 'type') === 'datasource') kinds.set(textAt(one, 'name'), textAt(one, 'query') || 'prometheus');
  const byId = new Map<number, Fields>();
  for (const { items } of written.sections) {
    for (const { panel } of items) {
      const id = numberAt(panel, 'id');
      if (id !== undefined && !byId.has(id)) byId.set(id, panel);
    }
  }
  return {
    losses,
    fill: (text) =>
      text
        .replace(/\[\[(\w+)(?::(\w+))?\]\]/g, (_whole, name: string, format?: string) => `\${${name}${format ? `:${format}` : ''}}`)
        .replace(/\$\{(\w+)\}/g, (whole, name: string) => constants.get(name) ?? whole),
    asks: (datasource) => asksOf(datasource, kinds),
    faultOf: once(faultOf),
    panelById: (id) => byId.get(id),
  };
}

/** A source that says nothing of its kind is taken for one that speaks PromQL; what it is asked in then tells. */
function asksOf(datasource: unknown, kinds: ReadonlyMap<string, string>): Asked {
  const [type, name] = isFields(datasource)
    ? [textAt(datasource, 'type'), textAt(datasource, 'uid')]
    : ['', typeof datasource === 'string' ? datasource : ''];
  if (type === '__expr__' || name === '__expr__' || name === '-100') return 'expression';
  if (name === '-- Dashboard --') return 'dashboard';
  if (name === '-- Grafana --' || name === 'grafana' || type === 'grafana') return 'grafana';
  const variable = /^\$\{?(\w+)(?::\w+)?\}?$/.exec(name)?.[1];
  const kind = type === '' || type === 'datasource' ? ((variable === undefined ? undefined : kinds.get(variable)) ?? name) : type;
  if (PROMETHEUS.test(kind)) return 'promql';
  if (type !== '' && type !== 'datasource') return { foreign: type };
  return FOREIGN.test(kind) ? { foreign: kind } : 'promql';
}

/** The targets of a panel, with the panel's data source where they have none of their own. */
export const targetsOf = (panel: Fields): readonly Fields[] =>
  objectsAt(panel, 'targets')
    .slice(0, MAX_TARGETS)
    .map((target) => (hasSource(target) ? target : { ...target, datasource: panel['datasource'] }));

const hasSource = (target: Fields): boolean => {
  const own = Object.hasOwn(target, 'datasource') ? target['datasource'] : undefined;
  return own !== undefined && own !== null;
};
