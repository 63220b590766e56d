/**
 * Grafana's dashboards as ours: Classic, V1 (Classic in a resource) and V2. Everything that cannot be brought along is told with the
 * panel, what it is and why. Pure: nothing is asked, nothing is kept.
 */
import { formatDuration, parseDuration } from '@nines/base/duration.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { LossView } from '../contract.ts';
import {
  type DashboardSpec,
  type GridItem,
  type Layout,
  MAX_PANELS,
  MAX_SECTIONS,
  type Panel,
  type REFRESHES,
  dashboardSpec,
  panelSpec,
} from '../model.ts';
import { readAnnotations } from './annotations.ts';
import { readClassic, titleOf } from './classic.ts';
import { type Context, contextOf } from './context.ts';
import { exportFrame, exportPanel } from './export.ts';
import { type Fields, fieldsAt, isFields, listAt, objectsAt, textAt, textsAt, valueAt } from './fields.ts';
import { Losses } from './losses.ts';
import { readPanel } from './panels.ts';
import { readResource } from './resource.ts';
import { readVariables } from './variables.ts';
import { type GrafanaSchema, type Placed, type WrittenGrafana, compacted } from './written.ts';

export type Imported = {
  readonly spec: DashboardSpec;
  readonly schema: GrafanaSchema;
  readonly losses: readonly LossView[];
  /** Panels in the file, rows not counted, and how many of them are panels here. */
  readonly found: number;
  readonly converted: number;
};

/** What is wrong with the file and where in it. */
export type ImportFault = { readonly place: string; readonly message: string };

export function importGrafana(file: unknown): Result<Imported, ImportFault> {
  const losses = new Losses();
  const written = readWritten(file, losses);
  if (!written.ok) return written;
  const context = contextOf(written.value, losses);
  const panels = panelsOf(written.value, context);
  const found = written.value.sections.reduce((sum, { items }) => sum + items.length, 0);
  if (panels.size === 0) {
    const why = found === 0 ? 'the dashboard has no panels' : `none of its ${found} panels can be shown here`;
    return err({ place: 'panels', message: `${why}${reasons(losses)}` });
  }
  const native = specOf(written.value, panels, context);
  const spec = asItWas(written.value, panels) ?? native;
  const judged = dashboardSpec.safeParse(spec);
  if (!judged.success) {
    const [issue] = judged.error.issues;
    return err({ place: issue?.path.join('.') ?? '', message: issue?.message ?? 'this is no dashboard' });
  }
  const told = spec === native ? losses.list() : losses.list().filter(({ panel }) => panel !== '');
  return ok({ spec: judged.data, schema: written.value.schema, losses: told, found, converted: panels.size });
}

const reasons = (losses: Losses): string => {
  const [first] = losses.list();
  return first === undefined ? '' : `; the first: ${first.panel === '' ? '' : `${first.panel}: `}${first.what}: ${first.why}`;
};

/** Which schema it is, and the dashboard in it; also as Grafana's API answers it (`{ dashboard, meta }`). */
function readWritten(file: unknown, losses: Losses): Result<WrittenGrafana, ImportFault> {
  if (!isFields(file)) return err({ place: '', message: `a dashboard is an object, not ${Array.isArray(file) ? 'a list' : typeof file}` });
  const api = valueAt(file, 'apiVersion');
  if (typeof api === 'string') {
    const spec = valueAt(file, 'spec');
    if (!api.startsWith('dashboard.grafana.app/') || textAt(file, 'kind') !== 'Dashboard')
      return err({
        place: 'apiVersion',
        message: `a resource ${api} ${textAt(file, 'kind')}; a dashboard is dashboard.grafana.app/… Dashboard`,
      });
    if (!isFields(spec)) return err({ place: 'spec', message: 'the resource has no spec' });
    const named = { uid: textAt(file, 'metadata', 'name'), folder: textAt(file, 'metadata', 'annotations', 'grafana.app/folder') };
    if (isFields(valueAt(spec, 'elements'))) return ok({ ...readResource(spec, losses), ...named, schema: 'v2' });
    const fault = faultOfClassic(spec, 'spec.');
    return fault === undefined ? ok({ ...readClassic(spec, losses), ...named, schema: 'v1' }) : err(fault);
  }
  const inner = valueAt(file, 'dashboard');
  const meta = fieldsAt(file, 'meta');
  if (isFields(inner) && !Object.hasOwn(file, 'panels')) {
    const read = readWritten(inner, losses);
    return read.ok
      ? ok({ ...read.value, folder: textAt(meta, 'folderTitle') || read.value.folder })
      : err({ ...read.error, place: `dashboard.${read.error.place}` });
  }
  if (isFields(valueAt(file, 'elements')) && isFields(valueAt(file, 'layout')))
    return ok({ ...readResource(file, losses), uid: '', folder: '', schema: 'v2' });
  const fault = faultOfClassic(file, '');
  return fault === undefined ? ok({ ...readClassic(file, losses), uid: textAt(file, 'uid'), folder: '', schema: 'classic' }) : err(fault);
}

function faultOfClassic(written: Fields, above: string): ImportFault | undefined {
  for (const name of ['panels', 'rows'] as const) {
    const list = valueAt(written, name);
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) return { place: `${above}${name}`, message: `expected a list, found ${typeof list}` };
    const at = list.findIndex((one) => !isFields(one));
    if (at >= 0)
      return { place: `${above}${name}.${at}`, message: `expected a panel, found ${list[at] === null ? 'null' : typeof list[at]}` };
  }
  if (!Array.isArray(valueAt(written, 'panels')) && !Array.isArray(valueAt(written, 'rows')))
    return {
      place: above === '' ? '' : above.slice(0, -1),
      message: 'this is no dashboard of Grafana: it has neither panels nor rows nor elements',
    };
  return undefined;
}

/** Panels by the key they have here, with what they were. */
type Panels = ReadonlyMap<Placed, { readonly key: string; readonly panel: Panel }>;

function panelsOf({ sections, library }: WrittenGrafana, context: Context): Panels {
  const panels = new Map<Placed, { readonly key: string; readonly panel: Panel }>();
  const taken = new Set<string>();
  for (const { items, repeat, title } of sections) {
    if (repeat !== '')
      context.losses.add(
        '',
        `the repetition of "${title}" for each value of $${repeat}`,
        `it stands once, for all values of $${repeat} that are chosen`,
      );
    for (const item of items) {
      const written = fromLibrary(item.panel, library);
      if (panels.size >= MAX_PANELS) {
        context.losses.add(titleOf(written), 'the panel', `a dashboard has at most ${MAX_PANELS} panels`);
        continue;
      }
      const known = knownPanel(written);
      const panel = known?.panel ?? readPanel({ panel: written, repeats: [repeat] }, context);
      if (panel === undefined) continue;
      if (known === undefined)
        context.losses.add('', 'how lines, legends and tooltips look', 'panels of one kind look alike on every dashboard');
      const key = freeKey(known?.key ?? slugOf(panel.title), taken);
      taken.add(key);
      panels.set(item, { key, panel });
    }
  }
  return panels;
}

function fromLibrary(panel: Fields, library: Fields): Fields {
  const uid = textAt(panel, 'libraryPanel', 'uid');
  const model = valueAt(library, uid, 'model');
  return isFields(model)
    ? { ...model, id: panel['id'], title: textAt(panel, 'title') || textAt(model, 'title'), gridPos: panel['gridPos'] }
    : panel;
}

/** What we exported ourselves, when Grafana still holds it as it was exported. */
function knownPanel(written: Fields): { readonly key: string; readonly panel: Panel } | undefined {
  const key = textAt(written, 'options', 'nines', 'key');
  const read = panelSpec.safeParse(valueAt(written, 'options', 'nines', 'panel'));
  if (key === '' || !read.success) return undefined;
  return holds(written, exportPanel(key, read.data)) ? { key, panel: read.data } : undefined;
}

/** The dashboard around the panels as it was exported, when nothing of it changed in Grafana. */
function asItWas({ frame, schema }: WrittenGrafana, panels: Panels): DashboardSpec | undefined {
  if (schema === 'v2') return undefined;
  const kept = valueAt(frame, 'nines');
  if (!isFields(kept)) return undefined;
  const all = Object.fromEntries([...panels.values()].map(({ key, panel }) => [key, panel]));
  const read = dashboardSpec.safeParse({ ...kept, panels: all });
  return read.success && holds(frame, exportFrame(read.data)) ? read.data : undefined;
}

/** Whether `written` has everything that `expected` says; more does not matter. As deep as `expected`, which we made. */
function holds(written: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(written) && written.length === expected.length && expected.every((one, at) => holds(written[at], one));
  }
  if (isFields(expected))
    return Object.keys(expected).every((name) => expected[name] === undefined || holds(valueAt(written, name), expected[name]));
  return written === expected;
}

function specOf(written: WrittenGrafana, panels: Panels, context: Context): unknown {
  const { frame } = written;
  const title = (context.fill(textAt(frame, 'title')) || 'Imported dashboard').slice(0, 200);
  const kept = textAt(frame, 'nines', 'id');
  for (const link of objectsAt(frame, 'links').slice(0, 100))
    context.losses.add('', `the link "${textAt(link, 'title') || textAt(link, 'type')}" above the panels`, 'links are of panels');
  const tags = textsAt(frame, 'tags').filter((tag) => tag !== '');
  if (listAt(frame, 'tags').length > 100) context.losses.add('', 'further tags', 'a dashboard has at most 100');
  return {
    id: kept === '' ? slugOf(title) : kept,
    title,
    description: textAt(frame, 'description').slice(0, 50_000),
    tags: tags.slice(0, 100).map((tag) => tag.slice(0, 200)),
    folder: written.folder.slice(0, 200),
    panels: Object.fromEntries([...panels.values()].map(({ key, panel }) => [key, panel])),
    layout: layoutOf(written, panels, context),
    variables: readVariables(written.variables, context),
    annotations: readAnnotations(written.annotations, context),
    ...rangeOf(frame, context),
    refresh: refreshOf(frame, context),
  };
}

type Standing = { readonly title: string; readonly collapsed: boolean; readonly items: readonly GridItem[] };

function layoutOf({ sections, columns }: WrittenGrafana, panels: Panels, { losses }: Context): Layout {
  const shown = sections
    .map(({ title, collapsed, items }): Standing => ({ title: title.slice(0, 200), collapsed, items: standing(items, panels) }))
    .filter(({ items }) => items.length > 0);
  const over = shown.slice(MAX_SECTIONS - 1);
  if (over.length > 1)
    losses.add(
      '',
      `the rows from "${over[1]?.title ?? ''}" on`,
      `a dashboard has at most ${MAX_SECTIONS} parts: their panels stand in the last`,
    );
  const last: readonly Standing[] = over.length < 2 ? over : [{ ...(over[0] ?? { title: '', collapsed: false }), items: piled(over) }];
  const all = [...shown.slice(0, MAX_SECTIONS - 1), ...last];
  if (columns === undefined)
    return { kind: 'custom', sections: all.map(({ items, ...section }) => ({ ...section, items: [...compacted(items)] })) };
  const kind = ({ 1: 'one_column', 2: 'two_columns', 3: 'three_columns' } as const)[columns];
  return { kind, sections: all.map(({ items, ...section }) => ({ ...section, panels: items.map(({ panel }) => panel) })) };
}

const standing = (items: readonly Placed[], panels: Panels): readonly GridItem[] =>
  items.flatMap((item) => {
    const known = panels.get(item);
    return known === undefined ? [] : [{ panel: known.key, x: item.x, y: item.y, w: item.w, h: item.h }];
  });

/** The panels of several sections below one another. */
function piled(sections: readonly Standing[]): readonly GridItem[] {
  let below = 0;
  return sections.flatMap(({ items }) => {
    const from = below;
    below += 10_000;
    return compacted(items).map((item) => ({ ...item, y: item.y + from }));
  });
}

const LONGEST_DAYS = 3_660;
const RELATIVE_MS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, M: 2_592_000, y: 31_536_000 };

/** `now-6h` to `now`; a calendar's bounds and fixed times become the nearest length of time until now. */
function rangeOf(frame: Fields, { losses }: Context): { readonly range?: string } {
  const [from, to] = [textAt(frame, 'time', 'from'), textAt(frame, 'time', 'to')];
  const timezone = textAt(frame, 'timezone');
  if (!['', 'browser', 'default'].includes(timezone))
    losses.add('', `its time zone (${timezone})`, 'everybody sees their own time zone, or the one of the server');
  if (from === '') return {};
  if (to !== 'now') losses.add('', `the end of its range (${to})`, 'a dashboard shows the time until now at first');
  const [, amount, unit, bound] = /^now(?:-(\d{1,9})([smhdwMy]))?(?:\/([dwMyh]))?$/.exec(from) ?? [];
  const letter = unit ?? bound;
  if (letter === undefined) {
    losses.add('', `the beginning of its range (${from})`, 'a dashboard shows a length of time until now: it is six hours');
    return {};
  }
  if (bound !== undefined)
    losses.add('', `the bound of its range (${from})`, 'a range goes back from now, not to the beginning of a day or week');
  const seconds = Number(amount ?? 1) * (RELATIVE_MS[letter] ?? 3_600);
  return { range: formatDuration(Math.min(LONGEST_DAYS * DAY_MS, Math.max(MINUTE_MS, seconds * SECOND_MS))) };
}

const EVERY: readonly (readonly [number, (typeof REFRESHES)[number]])[] = [
  [5 * SECOND_MS, '5s'],
  [30 * SECOND_MS, '30s'],
  [MINUTE_MS, '1m'],
];

/** The nearest that asks no more often than was wanted; the slowest there is for what is slower. */
function refreshOf(frame: Fields, { losses }: Context): (typeof REFRESHES)[number] {
  const written = textAt(frame, 'refresh');
  if (written === '') return 'off';
  const read = parseDuration(written);
  if (!read.ok) return 'off';
  const [lengthMs, found] = EVERY.find(([every]) => every >= read.value) ?? [MINUTE_MS, '1m' as const];
  if (lengthMs !== read.value) losses.add('', `how often it asks (${written})`, `it asks every ${found}: the nearest there is`);
  return found;
}

/** A name that addresses take, and panels have. */
const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '') || 'panel';

function freeKey(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  let at = 2;
  while (taken.has(`${wanted.slice(0, 57)}-${at}`)) at++;
  return `${wanted.slice(0, 57)}-${at}`;
}
