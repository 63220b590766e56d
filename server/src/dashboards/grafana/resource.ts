/**
 * The V2 schema of Grafana's resources (v2alpha1, v2beta1, v2): `elements` by name and a tree of layouts that refers to them, brought
 * into the Classic shape. Layouts nest: rows in tabs in rows; what is here is flat, with the titles above it in its own.
 */
import { type Fields, fieldsAt, isTrueAt, numberAt, objectsAt, textAt, valueAt } from './fields.ts';
import type { Losses } from './losses.ts';
import { type Placed, type WrittenGrafana, type WrittenSection, placeIn } from './written.ts';

const MAX_DEPTH = 8;
const MAX_ITEMS = 1_000;

export function readResource(spec: Fields, losses: Losses): Omit<WrittenGrafana, 'schema' | 'uid' | 'folder'> {
  const elements = fieldsAt(spec, 'elements');
  const reading: Reading = { elements, losses, sections: [], placed: new Set(), columns: new Set() };
  walk(fieldsAt(spec, 'layout'), { titles: [], collapsed: false, repeat: '' }, reading, 0);
  for (const name of Object.keys(elements).slice(0, MAX_ITEMS))
    if (!reading.placed.has(name))
      losses.add(textAt(elements, name, 'spec', 'title') || name, 'the panel', 'it stands in no layout, so Grafana shows it nowhere');
  const [columns] = reading.columns.size === 1 ? reading.columns : [];
  const time = fieldsAt(spec, 'timeSettings');
  return {
    frame: {
      title: textAt(spec, 'title'),
      description: textAt(spec, 'description'),
      tags: valueAt(spec, 'tags'),
      links: valueAt(spec, 'links'),
      time: { from: textAt(time, 'from'), to: textAt(time, 'to') },
      refresh: textAt(time, 'autoRefresh'),
      timezone: textAt(time, 'timezone'),
      nines: valueAt(spec, 'nines'),
    },
    sections: reading.sections,
    columns: columns === 1 || columns === 2 || columns === 3 ? columns : undefined,
    variables: objectsAt(spec, 'variables').map(variableOf),
    annotations: objectsAt(spec, 'annotations').map(annotationOf),
    inputs: [],
    library: {},
  };
}

type Reading = {
  readonly elements: Fields;
  readonly losses: Losses;
  readonly sections: WrittenSection[];
  readonly placed: Set<string>;
  /** Of layouts that flow; 0 for one that places by hand. */
  readonly columns: Set<number>;
};
type Above = { readonly titles: readonly string[]; readonly collapsed: boolean; readonly repeat: string };

function walk(layout: Fields, above: Above, reading: Reading, depth: number): void {
  const kind = textAt(layout, 'kind');
  const where = above.titles.join(' · ');
  if (depth > MAX_DEPTH) {
    reading.losses.add('', `the layout below "${where}"`, `layouts stand in one another more than ${MAX_DEPTH} deep`);
    return;
  }
  if (kind === 'RowsLayout' || kind === 'TabsLayout') {
    const inner = kind === 'RowsLayout' ? objectsAt(layout, 'spec', 'rows') : objectsAt(layout, 'spec', 'tabs');
    if (kind === 'TabsLayout' && inner.length > 0)
      reading.losses.add('', 'tabs', 'a tab becomes a part of the page, below the one before it');
    for (const one of inner) {
      const spec = fieldsAt(one, 'spec');
      const title = isTrueAt(spec, 'hideHeader') ? '' : textAt(spec, 'title');
      told(spec, title || where, reading.losses);
      if (objectsAt(spec, 'variables').length > 0)
        reading.losses.add('', `variables of the part "${title}"`, 'a variable is of the whole dashboard');
      const titles = title === '' ? above.titles : [...above.titles, title];
      const repeat = textAt(spec, 'repeat', 'value') || above.repeat;
      walk(fieldsAt(spec, 'layout'), { titles, collapsed: above.collapsed || isTrueAt(spec, 'collapse'), repeat }, reading, depth + 1);
    }
    return;
  }
  const section = { title: where, collapsed: above.collapsed, repeat: above.repeat };
  if (kind === 'GridLayout') {
    reading.columns.add(0);
    reading.sections.push({ ...section, items: byHand(layout, reading) });
  } else if (kind === 'AutoGridLayout') reading.sections.push({ ...section, items: flowing(layout, reading) });
  else if (kind !== '') reading.losses.add('', `a layout of kind ${kind}`, 'its kind is not known');
}

function told(spec: Fields, where: string, losses: Losses): void {
  if (objectsAt(spec, 'conditionalRendering', 'spec', 'items').length > 0)
    losses.add(where, 'when it is shown', 'conditions do not hide anything here: it is always shown');
}

function byHand(layout: Fields, reading: Reading): readonly Placed[] {
  return objectsAt(layout, 'spec', 'items')
    .slice(0, MAX_ITEMS)
    .flatMap((item): readonly Placed[] => {
      const spec = fieldsAt(item, 'spec');
      const panel = elementOf(spec, reading);
      if (panel === undefined) return [];
      const { x, y, width: w, height: h } = spec;
      return [{ panel, ...placeIn({ x, y, w, h }, { x: 0, y: 0, w: 12, h: 8 }) }];
    });
}

const HEIGHT_OF: Readonly<Record<string, number>> = { short: 5, standard: 9, tall: 14 };

function flowing(layout: Fields, reading: Reading): readonly Placed[] {
  const columns = Math.min(12, Math.max(1, Math.round(numberAt(layout, 'spec', 'maxColumnCount') ?? 3)));
  reading.columns.add(columns);
  const mode = textAt(layout, 'spec', 'rowHeightMode');
  const ownPx = numberAt(layout, 'spec', 'rowHeight');
  const h = mode === 'custom' && ownPx !== undefined ? Math.min(100, Math.max(2, Math.round(ownPx / 38))) : (HEIGHT_OF[mode] ?? 9);
  const w = Math.floor(24 / columns);
  const panels = objectsAt(layout, 'spec', 'items')
    .slice(0, MAX_ITEMS)
    .flatMap((item) => {
      const panel = elementOf(fieldsAt(item, 'spec'), reading);
      return panel === undefined ? [] : [panel];
    });
  return panels.map((panel, at) => ({ panel, x: (at % columns) * w, y: Math.floor(at / columns) * h, w, h }));
}

/** The panel that an item of a layout refers to, as the Classic schema has it. */
function elementOf(item: Fields, { elements, losses, placed }: Reading): Fields | undefined {
  const name = textAt(item, 'element', 'name');
  const element = valueAt(elements, name);
  if (element === undefined) {
    losses.add('', `the panel "${name}"`, 'the layout names it, but there is no such element');
    return undefined;
  }
  const spec = fieldsAt(element, 'spec');
  const title = textAt(spec, 'title') || name;
  if (placed.has(name)) {
    losses.add(title, 'its second place', 'a panel stands in one place');
    return undefined;
  }
  placed.add(name);
  told(item, title, losses);
  const repeat = textAt(item, 'repeat', 'value');
  if (textAt(element, 'kind') === 'LibraryPanel')
    return { id: valueAt(spec, 'id'), title: valueAt(spec, 'title'), libraryPanel: valueAt(spec, 'libraryPanel'), repeat };
  return { ...panelOf(spec), repeat };
}

function panelOf(spec: Fields): Fields {
  const drawn = fieldsAt(spec, 'vizConfig');
  const data = fieldsAt(spec, 'data', 'spec');
  return {
    id: valueAt(spec, 'id'),
    title: valueAt(spec, 'title'),
    description: valueAt(spec, 'description'),
    links: valueAt(spec, 'links'),
    type: groupOf(drawn, 'VizConfig'),
    options: valueAt(drawn, 'spec', 'options'),
    fieldConfig: valueAt(drawn, 'spec', 'fieldConfig'),
    targets: objectsAt(data, 'queries').map((one) => queryOf(fieldsAt(one, 'spec'))),
    transformations: objectsAt(data, 'transformations').map((one) => ({
      ...fieldsAt(one, 'spec'),
      id: textAt(one, 'group') || textAt(one, 'spec', 'id') || textAt(one, 'kind'),
    })),
    interval: valueAt(data, 'queryOptions', 'interval'),
    timeFrom: valueAt(data, 'queryOptions', 'timeFrom'),
    timeShift: valueAt(data, 'queryOptions', 'timeShift'),
  };
}

/** v2alpha1 wrote the name of the plug-in as the kind. */
function groupOf(from: Fields, generic: string): string {
  const kind = textAt(from, 'kind');
  return textAt(from, 'group') || (kind === generic ? '' : kind);
}

const dataOf = (query: Fields, beside: Fields): Fields => ({
  ...fieldsAt(query, 'spec'),
  datasource: {
    type: groupOf(query, 'DataQuery'),
    uid: textAt(query, 'datasource', 'name') || textAt(beside, 'datasource', 'uid'),
  },
});

const queryOf = (spec: Fields): Fields => ({
  ...dataOf(fieldsAt(spec, 'query'), spec),
  refId: valueAt(spec, 'refId'),
  hide: valueAt(spec, 'hidden'),
});

const VARIABLE_TYPES: Readonly<Record<string, string>> = {
  QueryVariable: 'query',
  CustomVariable: 'custom',
  TextVariable: 'textbox',
  ConstantVariable: 'constant',
  DatasourceVariable: 'datasource',
  IntervalVariable: 'interval',
  AdhocVariable: 'adhoc',
  GroupByVariable: 'groupby',
  SwitchVariable: 'switch',
};

function variableOf(written: Fields): Fields {
  const spec = fieldsAt(written, 'spec');
  const kind = textAt(written, 'kind');
  const type = Object.hasOwn(VARIABLE_TYPES, kind) ? VARIABLE_TYPES[kind] : kind;
  const shared = { ...spec, type, hide: textAt(spec, 'hide') === 'hideVariable' ? 2 : 0 };
  if (type === 'datasource') return { ...shared, query: valueAt(spec, 'pluginId') };
  if (type !== 'query') return shared;
  const { datasource, ...query } = dataOf(fieldsAt(spec, 'query'), spec);
  const text = textAt(query, '__legacyStringValue') || textAt(query, 'query') || textAt(spec, 'definition');
  return { ...shared, datasource, query: text };
}

function annotationOf(written: Fields): Fields {
  const spec = fieldsAt(written, 'spec');
  const { expr, ...rest } = dataOf(fieldsAt(spec, 'query'), spec);
  const builtIn = isTrueAt(spec, 'builtIn') ? 1 : 0;
  return { ...rest, ...spec, ...fieldsAt(spec, 'legacyOptions'), datasource: rest.datasource, builtIn, expr, query: undefined };
}
