/** What to look at when an alert fires, and how the answer is kept: pure. */
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { type Labels, METRIC_NAME, labelPairs, labelsToRecord } from '@nines/model/labels.ts';
import type { AlertView, RuleReads } from './contract.ts';
import type { Change, Excerpt } from './history-wire.ts';

/** How much is looked at: an hour before the alert in steps of a minute. */
export const EXCERPT_MS = HOUR_MS;
export const EXCERPT_STEP_MS = MINUTE_MS;
/** Series of one query that are kept, and queries of a rule that are asked. */
const MAX_SERIES = 3;
const MAX_READS = 4;
const MAX_LABEL_CHARS = 200;

export type Question = { readonly name: string; readonly expr: string };

/** What the rule reads; of a rule that nobody knows, nothing. */
export const readsToAsk = (reads: RuleReads | undefined): readonly Question[] => reads?.queries.slice(0, MAX_READS) ?? [];

const quoted = (text: string): string => JSON.stringify(text);
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, (sign) => `\\${sign}`);

/** Figures of what the alert's labels name: its service, its host, its contract. */
export function relatedTo(labels: AlertView['labels']): readonly Question[] {
  const { service, instance, sla } = labels;
  const asked: Question[] = [];
  if (service !== undefined && service !== '') {
    asked.push({ name: 'Checks that succeed', expr: `avg(probe_success{service=${quoted(service)}})` });
    asked.push({ name: 'Answer time, seconds', expr: `max(probe_duration_seconds{service=${quoted(service)}})` });
  }
  if (sla !== undefined && sla !== '') asked.push({ name: 'Attained, ratio', expr: `sla_attained_ratio{sla=${quoted(sla)}}` });
  // The exporter of the host listens on another port than what runs there.
  const host = instance?.replace(/:\d+$/, '') ?? '';
  if (host !== '') {
    const here = `instance=~${quoted(`${escaped(host)}(:[0-9]+)?`)}`;
    asked.push({
      name: 'CPU, percent',
      expr: `100 * (1 - sum(rate(node_cpu_seconds_total{mode=~"idle|iowait",${here}}[5m])) / sum(rate(node_cpu_seconds_total{${here}}[5m])))`,
    });
    asked.push({
      name: 'Memory, percent',
      expr: `100 * (1 - max(node_memory_MemAvailable_bytes{${here}}) / max(node_memory_MemTotal_bytes{${here}}))`,
    });
    asked.push({ name: 'Load', expr: `max(node_load1{${here}})` });
    asked.push({
      name: 'Fullest disk, percent',
      expr: `max(100 * (1 - node_filesystem_avail_bytes{${here}} / node_filesystem_size_bytes{${here}}))`,
    });
  }
  return asked;
}

/** When the processes behind the alert's labels started, if that was within the hour before: a restart is a change. */
export function restartsOf(labels: AlertView['labels']): string | undefined {
  const { instance, job } = labels;
  if (instance === undefined || instance === '') return undefined;
  const same = job === undefined ? '' : `,job=${quoted(job)}`;
  return `process_start_time_seconds{instance=${quoted(instance)}${same}}`;
}

export type Answer = readonly { readonly labels: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> }[];

/** The series of an answer that can be the alert's: no label of theirs says something else than the alert's. */
export function excerptsOf(
  question: Question,
  answer: Answer,
  { alert, fromMs, toMs }: { readonly alert: Pick<AlertView, 'labels'>; readonly fromMs: number; readonly toMs: number },
): readonly Excerpt[] {
  const agrees = (labels: Labels): boolean =>
    [...labelPairs(labels)].every(([name, value]) => name === METRIC_NAME || (alert.labels[name] ?? value) === value);
  return answer
    .filter(({ labels }) => agrees(labels))
    .slice(0, MAX_SERIES)
    .map(({ labels, times, values }) => {
      const kept: (number | null)[] = Array.from({ length: Math.floor((toMs - fromMs) / EXCERPT_STEP_MS) + 1 }, () => null);
      for (let i = 0; i < times.length; i++) {
        const value = values[i] ?? Number.NaN;
        const place = Math.round(((times[i] ?? 0) - fromMs) / EXCERPT_STEP_MS);
        if (Number.isFinite(value) && place >= 0 && place < kept.length) kept[place] = value;
      }
      const short = Object.entries(labelsToRecord(labels)).map(([name, value]) => [name, value.slice(0, MAX_LABEL_CHARS)]);
      return {
        ...question,
        labels: Object.fromEntries(short) as Record<string, string>,
        from_at_ms: fromMs,
        step_ms: EXCERPT_STEP_MS,
        values: kept,
      };
    });
}

/** A fact of the product as a change that a person reads; undefined for facts that change nothing. */
export function changeOf(fact: { readonly type: string; readonly atMs: number; readonly data: unknown }): Change | undefined {
  const text = textOf(fact.type, (fact.data ?? {}) as Readonly<Record<string, unknown>>);
  return text === undefined ? undefined : { at_ms: fact.atMs, kind: fact.type, text };
}

function textOf(type: string, data: Readonly<Record<string, unknown>>): string | undefined {
  const word = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_LABEL_CHARS) : '');
  if (type === 'config.reloaded') return 'the configuration was read again';
  if (type === 'services.changed') return 'services or their checks were declared anew';
  if (type === 'recovery.ended') return `recovery action ${word(data['action'])} on check ${word(data['check'])}: ${word(data['status'])}`;
  if (type.startsWith('maintenance.')) return `maintenance ${word(data['name'])} ${type.slice('maintenance.'.length)}`;
  if (type.startsWith('deployment.')) return `deployment ${[data['service'], data['version']].map(word).join(' ').trim()}`;
  return undefined;
}
