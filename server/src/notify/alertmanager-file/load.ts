import { globSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { readTextFile } from '../../platform/config/read-text.ts';
import type { ConfigProblem } from '../../platform/config/source.ts';
import { fieldPath } from '../../platform/http/schemas.ts';
import { type ChannelsConfig, type RoutingConfig, channelsConfig, faultsOfRoot, unknownToRouting } from '../config.ts';
import { MAKERS } from './channels.ts';
import { Entry, type Loss } from './entry.ts';
import { OTHER_KINDS, TAKEN_KINDS, type WrittenEntry, type WrittenFile, alertmanagerFile, withoutNulls } from './schema.ts';
import { definitionsOf } from './words.ts';

/** Secrets and template files. */
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_ID_CHARS = 40;

/** What an `alertmanager.yml` becomes. Each warning is something that is not as it was there, at its place. */
export type LoadedAlertmanagerFile = {
  readonly channels: ChannelsConfig;
  readonly routing: Pick<
    RoutingConfig,
    'tree' | 'receivers' | 'inhibit_rules' | 'time_intervals' | 'mute_time_intervals' | 'resolve_timeout'
  >;
  /** The same as our configuration would write it; secrets in the clear. */
  readonly written: { readonly channels: readonly WrittenEntry[]; readonly routing: Readonly<Record<string, unknown>> };
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
};

type Making = { readonly file: WrittenFile; readonly dir: string; readonly definitions: string; readonly taken: Set<string> };
type Made = {
  readonly channels: readonly { readonly written: WrittenEntry; readonly path: Loss['path'] }[];
  readonly receivers: RoutingConfig['receivers'];
  readonly losses: readonly Loss[];
  readonly faults: readonly Loss[];
};

/** Reads the file; `taken` are ids of channels that the configuration declares itself. */
export function loadAlertmanagerFile(path: string, taken: ReadonlySet<string>): LoadedAlertmanagerFile | readonly ConfigProblem[] {
  const loaded = loadConfig({ schema: alertmanagerFile, file: path });
  if (!loaded.ok) return loaded.problems;
  const { config: file, problemAt } = loaded;
  const dir = dirname(path);
  const templates = templateFiles(file, dir);
  const made = receiversOf({ file, dir, definitions: definitionsOf(templates.texts), taken: new Set(taken) });
  const channels = channelsConfig.safeParse(made.channels.map(({ written }) => written));
  const routing = {
    tree: file.route,
    receivers: made.receivers,
    inhibit_rules: file.inhibit_rules,
    time_intervals: file.time_intervals,
    mute_time_intervals: file.mute_time_intervals,
    resolve_timeout: file.global.resolve_timeout,
  };
  const problems = [
    ...templates.faults,
    ...made.faults,
    ...(channels.error?.issues ?? []).map((issue) => {
      const [index, ...field] = issue.path;
      return { path: made.channels[Number(index)]?.path ?? [], message: `${fieldPath(field)}: ${issue.message}` };
    }),
    ...faultsOfRoot(file.route).map((message) => ({ path: ['route'], message })),
    ...unknownTo(file, routing),
  ];
  const problemsAt = (found: readonly Loss[]): readonly ConfigProblem[] => found.map((one) => problemAt(one.path, one.message));
  return {
    channels: channels.data ?? [],
    routing,
    written: { channels: made.channels.map(({ written }) => written), routing: writtenRouting(loaded.written, made.receivers) },
    problems: problemsAt(problems),
    warnings: [...loaded.warnings, ...problemsAt([...templates.losses, ...made.losses])],
  };
}

/** The sections of the file that have the same form here. */
function writtenRouting(written: unknown, receivers: RoutingConfig['receivers']): Readonly<Record<string, unknown>> {
  const { route, global, inhibit_rules, time_intervals, mute_time_intervals } = withoutNulls(written) as Record<string, WrittenEntry>;
  const sections = {
    tree: route,
    receivers,
    inhibit_rules,
    time_intervals,
    mute_time_intervals,
    resolve_timeout: global?.['resolve_timeout'],
  };
  return Object.fromEntries(Object.entries(sections).filter(([, section]) => section !== undefined));
}

/** Names that routes use and the file lacks, in the words of the file. */
const unknownTo = (file: WrittenFile, routing: LoadedAlertmanagerFile['routing']): readonly Loss[] => {
  const known = routing.receivers.flatMap(({ channels }) => channels).map((id) => ({ id }));
  return unknownToRouting(known, { ...routing, default: [], alertmanager_file: undefined }).map(
    ({ path: [, section, ...rest], message }) => ({
      path: section === 'tree' ? ['route', ...rest] : [section ?? '', ...rest],
      message: message.replace(/^there is no channel/, 'there is no receiver'),
    }),
  );
};

function templateFiles({ templates }: WrittenFile, dir: string) {
  const texts: string[] = [];
  const [losses, faults]: [Loss[], Loss[]] = [[], []];
  templates.forEach((pattern, index) => {
    const path = ['templates', index];
    const found = globSync(within(dir, pattern)).sort();
    if (found.length === 0) losses.push({ path, message: `no such template file: ${pattern}` });
    for (const file of found) {
      try {
        texts.push(readTextFile(file, MAX_TEXT_BYTES));
      } catch (thrown) {
        faults.push({ path, message: `cannot read ${file}: ${messageOf(thrown)}` });
      }
    }
  });
  return { texts, losses, faults };
}

const within = (dir: string, path: string): string => (isAbsolute(path) ? path : join(dir, path));

function receiversOf({ file, dir, definitions, taken }: Making): Made {
  const made = {
    channels: [] as Made['channels'][number][],
    receivers: [] as RoutingConfig['receivers'],
    losses: [] as Loss[],
    faults: [] as Loss[],
  };
  const read = (path: string): string => readTextFile(within(dir, path), MAX_TEXT_BYTES);
  file.receivers.forEach((receiver, r) => {
    const ids: string[] = [];
    for (const kind of TAKEN_KINDS) {
      receiver[kind].forEach((written, index) => {
        const path = ['receivers', r, kind, index];
        const entry = new Entry(written, { global: file.global, path, read });
        const fields = MAKERS[kind](entry, definitions);
        entry.finish();
        made.losses.push(...entry.losses);
        made.faults.push(...entry.faults);
        if (fields === undefined) return;
        const id = freeId(`${receiver.name}-${String(fields['kind'])}`, taken);
        ids.push(id);
        made.channels.push({ written: { id, ...fields }, path });
      });
    }
    const lost = OTHER_KINDS.filter((kind) => receiver[kind].length > 0);
    for (const kind of lost) {
      const message = `${kind} is not taken over: there is no such channel here, and nobody hears of these alerts by it`;
      receiver[kind].forEach((_, index) => made.losses.push({ path: ['receivers', r, kind, index], message }));
    }
    if (ids.length === 0 && lost.length > 0)
      made.losses.push({
        path: ['receivers', r],
        message: `the receiver "${receiver.name}" tells nobody: none of what it has is taken over`,
      });
    made.receivers.push({ name: receiver.name, channels: ids });
  });
  return made;
}

/** An id in the alphabet of ids that nothing else has. */
function freeId(name: string, taken: Set<string>): string {
  const base = name
    .replace(/[^a-zA-Z0-9_.-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(-MAX_ID_CHARS)
    .replace(/^[^a-zA-Z0-9]+/, '');
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}
