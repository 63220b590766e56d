/**
 * A dashboard in Grafana's Classic schema, for Grafana over our Prometheus API. What Grafana knows is written in its own words; what it
 * does not know stands beside it under `nines`, so that importing the file again gives the same dashboard. Pure.
 */
import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Annotation, DashboardSpec, Panel, Variable } from '../model.ts';
import { panelFields } from './export-panel.ts';
import type { Fields } from './fields.ts';
import { type Place, placesOf } from './places.ts';
import { SOURCE, SOURCE_VARIABLE } from './source.ts';

const SCHEMA_VERSION = 39;
const MAX_UID_CHARS = 40;

export function exportGrafana(spec: DashboardSpec): Fields {
  const { panels, ...frame } = spec;
  const places = placesOf(spec);
  const drawn = (at: Place): Fields => {
    const panel = panels[at.key];
    if (panel === undefined) throw new Error(`BUG: the layout names the panel ${at.key}, which is not there`);
    return { id: at.id, ...exportPanel(at.key, panel), gridPos: at.gridPos };
  };
  return { ...exportFrame(spec), panels: places.flatMap((section) => written(section, drawn)), nines: frame };
}

/** One panel without its place. */
export function exportPanel(key: string, panel: Panel): Fields {
  const { options, ...rest } = panelFields(panel);
  return { ...rest, options: { ...(options as Fields | undefined), nines: { key, panel } } };
}

/** All but the panels, whose places it has. */
export function exportFrame(spec: DashboardSpec): Fields {
  return {
    id: null,
    uid: spec.id.replaceAll('.', '-').slice(0, MAX_UID_CHARS),
    title: spec.title,
    description: spec.description,
    tags: spec.tags,
    editable: true,
    graphTooltip: 1,
    schemaVersion: SCHEMA_VERSION,
    timezone: 'browser',
    time: { from: `now-${grafanaLength(spec.range)}`, to: 'now' },
    refresh: spec.refresh === 'off' ? '' : spec.refresh === 'live' ? '5s' : spec.refresh,
    links: [],
    templating: { list: [sourceVariable(), ...spec.variables.map(variableFields)] },
    annotations: { list: spec.annotations.filter(isTold).map(annotationFields) },
    panels: placesOf(spec).flatMap((section) => written(section, ({ gridPos }) => ({ gridPos }))),
  };
}

/** A section with a title or folded is a row; one that is folded holds its panels. */
function written({ row, places }: ReturnType<typeof placesOf>[number], panel: (place: Place) => Fields): readonly Fields[] {
  const inside = places.map(panel);
  if (row === undefined) return inside;
  const { title, collapsed, id, y } = row;
  const fields = { id, type: 'row', title, collapsed, gridPos: { x: 0, y, w: 24, h: 1 } };
  return collapsed ? [{ ...fields, panels: inside }] : [{ ...fields, panels: [] }, ...inside];
}

const LENGTHS = [
  [DAY_MS, 'd'],
  [HOUR_MS, 'h'],
  [MINUTE_MS, 'm'],
  [SECOND_MS, 's'],
] as const;

/** Grafana takes one unit: `1h30m` is `90m`. */
function grafanaLength(text: string): string {
  const read = parseDuration(text);
  if (!read.ok) throw new Error(`BUG: a dashboard whose range is ${text}`);
  const [unitMs, letter] = LENGTHS.find(([length]) => read.value % length === 0) ?? [SECOND_MS, 's'];
  return `${Math.round(read.value / unitMs)}${letter}`;
}

const sourceVariable = (): Fields => ({
  name: SOURCE_VARIABLE,
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  refresh: 1,
  hide: 0,
  regex: '',
  multi: false,
  includeAll: false,
});

function variableFields(variable: Variable): Fields {
  const shared = { name: variable.name, label: variable.label, hide: variable.hidden ? 2 : 0, skipUrlSync: false };
  switch (variable.kind) {
    case 'query': {
      const { match, label_name: label, regex } = variable;
      const query = match === '' ? `label_values(${label})` : `label_values(${match}, ${label})`;
      // Read anew when the range changes: what there is to choose depends on it here too.
      return {
        ...shared,
        ...choiceFields(variable),
        type: 'query',
        datasource: SOURCE,
        query,
        definition: query,
        regex,
        refresh: 2,
        sort: 1,
      };
    }
    case 'list': {
      const query = variable.values.map((value) => value.replaceAll(',', '\\,')).join(',');
      return { ...shared, ...choiceFields(variable), type: 'custom', query };
    }
    case 'text':
      return { ...shared, type: 'textbox', query: variable.value, current: { text: variable.value, value: variable.value } };
    case 'interval': {
      const value = variable.value === '' ? (variable.values[0] ?? '') : variable.value;
      return { ...shared, type: 'interval', query: variable.values.join(','), auto: false, current: { text: value, value } };
    }
  }
}

function choiceFields({ multi, all, value }: Extract<Variable, { kind: 'query' | 'list' }>): Fields {
  const chosen = value.length > 0 ? value : all ? ['$__all'] : [];
  const current = chosen.length === 0 ? {} : multi ? { text: chosen, value: chosen } : { text: chosen[0], value: chosen[0] };
  return { multi, includeAll: all, ...(all ? { allValue: '.*' } : {}), current };
}

/** Maintenance and deployments are no series. */
const isTold = ({ from }: Annotation): boolean => from === 'promql' || from === 'alerts' || from === 'incidents';

function annotationFields(annotation: Annotation): Fields {
  const { title, shown } = annotation;
  if (annotation.from === 'promql')
    return { name: title === '' ? 'Query' : title, enable: shown, datasource: SOURCE, expr: annotation.expr, iconColor: 'orange' };
  const name = title === '' ? `${annotation.from.charAt(0).toUpperCase()}${annotation.from.slice(1)}` : title;
  if (annotation.from === 'alerts') {
    const datasource = { type: 'grafana', uid: '-- Grafana --' };
    return { name, enable: shown, hide: false, builtIn: 1, type: 'dashboard', datasource, iconColor: 'rgba(0, 211, 255, 1)' };
  }
  return { name, enable: shown, datasource: SOURCE, expr: GRAVE_ALERTS, iconColor: 'red' };
}

/** What stands for incidents, which no series tells. */
const GRAVE_ALERTS = 'max by (alertname) (ALERTS{alertstate="firing",severity=~"critical|emergency"})';
