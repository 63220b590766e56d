import { formatMatcher } from '@nines/base/matcher-text.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type Exposition, type ExpositionFormat, collectExposition, parseExposition } from '@nines/model/exposition.ts';
import { walkProtobufExposition } from '@nines/model/exposition-protobuf.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { type Labels, METRIC_NAME, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import { isClassicLabelName } from '@nines/model/series-text.ts';

/**
 * Groups of pushed metrics as Pushgateway keeps them: a group is named by its labels, a push replaces all of it (PUT) or the
 * families it names (POST), and what was pushed last is offered until the group is deleted.
 * Source: github.com/prometheus/pushgateway, handler/push.go and storage/diskmetricstore.go.
 */

/** Samples of one group. */
export const MAX_GROUP_SAMPLES = 50_000;
export const MAX_GROUPS = 10_000;
/** Samples of all groups together, which are written at every interval. */
export const MAX_PUSHED_SAMPLES = 500_000;
/** Labels that name a group. */
export const MAX_GROUPING_LABELS = 30;

/** With a native histogram the value means nothing. */
export type PushedSample = { readonly labels: Labels; readonly value: number; readonly histogram?: Histogram };
export type PushBody =
  | { readonly format: ExpositionFormat; readonly text: string }
  | { readonly format: 'protobuf'; readonly bytes: Uint8Array };
export type PushedFamily = { readonly metadata: MetricMetadata; readonly samples: readonly PushedSample[] };
export type PushGroup = {
  /** Names and values in turn, sorted; unlike a series' labels they may be empty. */
  readonly grouping: readonly string[];
  readonly families: ReadonlyMap<string, PushedFamily>;
  /** Unix milliseconds; 0 for never. */
  readonly pushedAtMs: number;
  readonly failedAtMs: number;
};

const PUSHED_AT = 'push_time_seconds';
const FAILED_AT = 'push_failure_time_seconds';
const OWN_FAMILIES: ReadonlySet<string> = new Set([PUSHED_AT, FAILED_AT]);
const BASE64 = '@base64';

export const keyOf = (grouping: readonly string[]): string => JSON.stringify(grouping);

/** The grouping labels of the path behind `/metrics/`, which is still percent-encoded: `job/backup/instance/a`, `job@base64/YS9i`. */
export function groupingOf(path: string): Result<readonly string[], string> {
  // A slash within a value needs base64: as in Pushgateway an encoded one separates all the same.
  const plain = decoded(path);
  if (plain === undefined) return err('the path is not percent-encoded UTF-8');
  const [first = '', job = '', ...rest] = plain.split('/');
  if (first !== 'job' && first !== `job${BASE64}`) return err('the path must begin with /metrics/job/');
  const name = valueOf(first, job);
  if (!name.ok) return err(`invalid base64 encoding in job name ${JSON.stringify(job)}`);
  if (name.value === '') return err('job name is required');
  if (rest.at(-1) === '') rest.pop();
  if (rest.length % 2 !== 0) return err(`odd number of components in label string "/${rest.join('/')}"`);
  if (rest.length / 2 > MAX_GROUPING_LABELS) return err(`more than ${MAX_GROUPING_LABELS} grouping labels`);
  const pairs = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) {
    const written = rest[i] ?? '';
    const label = written.endsWith(BASE64) ? written.slice(0, -BASE64.length) : written;
    if (!isClassicLabelName(label) || label.startsWith('__')) return err(`improper label name ${JSON.stringify(label)}`);
    const value = valueOf(written, rest[i + 1] ?? '');
    if (!value.ok) return err(`invalid base64 encoding for label ${label}=${JSON.stringify(rest[i + 1])}`);
    pairs.set(label, value.value);
  }
  pairs.set('job', name.value);
  return ok([...pairs.keys()].sort().flatMap((label) => [label, pairs.get(label) ?? '']));
}

function valueOf(name: string, written: string): Result<string, string> {
  if (!name.endsWith(BASE64)) return ok(written);
  const text = written.replace(/=+$/, '');
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return err('base64');
  return ok(Buffer.from(text, 'base64url').toString('utf8'));
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** What was pushed, its labels overridden by those of the group. `undecodable` bodies leave the group as it is, `inconsistent` ones count as its failure, those of a sender who may not write them as nobody's. */
export type PushFault = { readonly kind: 'undecodable' | 'inconsistent' | 'outside'; readonly reason: string };

export function readPush(
  body: PushBody,
  grouping: readonly string[],
  scope: Scope = FULL_SCOPE,
): Result<ReadonlyMap<string, PushedFamily>, PushFault> {
  const parsed = parseBody(body);
  if (!parsed.ok) return err({ kind: 'undecodable', reason: parsed.error });
  const { samples, metadata } = parsed.value;
  if (samples.some(({ atMs }) => atMs !== undefined)) return inconsistent('pushed metrics must not have timestamps');
  if (samples.length > MAX_GROUP_SAMPLES)
    return inconsistent(`${samples.length} samples in one push; at most ${MAX_GROUP_SAMPLES} are taken`);
  const families = new Map<string, { metadata: MetricMetadata; samples: PushedSample[] }>();
  const seen = new Set<string>();
  for (const { name, labels, value, histogram } of samples) {
    const family = familyOf(name, metadata);
    if (OWN_FAMILIES.has(family)) continue;
    // The group's labels win, as in Pushgateway; those that a scope put there must not hide what the sender meant.
    const against = scope.matchers.find(
      ({ name: label, matches }) => labelValue(labels, label) !== '' && !matches(labelValue(labels, label)),
    );
    if (against !== undefined)
      return err({ kind: 'outside', reason: `${describe(labels)}: this sender writes only ${formatMatcher(against)}` });
    const placed = labelsFrom([...labelPairs(labels), ...labelPairs(grouping)]);
    const key = labelsKey(placed);
    if (seen.has(key)) return inconsistent(`${describe(placed)} was collected before with the same name and label values`);
    seen.add(key);
    const known = families.get(family);
    const sample = histogram === undefined ? { labels: placed, value } : { labels: placed, value, histogram };
    if (known !== undefined) known.samples.push(sample);
    else families.set(family, { metadata: metadata.get(family) ?? UNTYPED, samples: [sample] });
  }
  return ok(families);
}

/** Of a histogram that is native and classic both are kept: which of the two its readers ask for is not known. */
function parseBody(body: PushBody): Result<Exposition, string> {
  if (body.format !== 'protobuf') {
    const parsed = parseExposition(body.text, body.format);
    return parsed.ok ? parsed : err(`text format parsing error in line ${parsed.error.line}: ${parsed.error.message}`);
  }
  const { sink, exposition } = collectExposition();
  const fault = walkProtobufExposition(body.bytes, sink, { native: true, classicToo: true });
  return fault === undefined ? ok(exposition) : err(`protobuf parsing error at byte ${fault.atByte}: ${fault.message}`);
}

const UNTYPED: MetricMetadata = { type: 'unknown', help: '', unit: '' };
const inconsistent = (reason: string): { readonly ok: false; readonly error: PushFault } => err({ kind: 'inconsistent', reason });

const describe = (labels: Labels): string =>
  `collected metric ${[...labelPairs(labels)].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')}`;

const SUFFIXES = ['_bucket', '_sum', '_count', '_created', '_total', '_info'];

/** The family that a sample's name belongs to: a described one, with the suffix that its type adds. */
function familyOf(name: string, metadata: ReadonlyMap<string, MetricMetadata>): string {
  if (metadata.has(name)) return name;
  const suffix = SUFFIXES.find((ending) => name.endsWith(ending) && metadata.has(name.slice(0, -ending.length)));
  return suffix === undefined ? name : name.slice(0, -suffix.length);
}

/** Why the families cannot stand beside those of the other groups; nothing when they can. */
export function conflictOf(
  families: ReadonlyMap<string, PushedFamily>,
  {
    key,
    groups,
    owners,
  }: { readonly key: string; readonly groups: ReadonlyMap<string, PushGroup>; readonly owners: ReadonlyMap<string, string> },
): string | undefined {
  for (const [name, { metadata, samples }] of families) {
    for (const [other, group] of groups) {
      const type = group.families.get(name)?.metadata.type;
      if (other !== key && type !== undefined && type !== metadata.type)
        return `collected metric "${name}" is a ${metadata.type}, but a ${type} in the group ${other}`;
    }
    for (const { labels } of samples) {
      const owner = owners.get(labelsKey(labels));
      if (owner !== undefined && owner !== key)
        return `${describe(labels)} was collected before with the same name and label values, in ${groups.has(owner) ? `the group ${owner}` : 'another group'}`;
    }
  }
  return undefined;
}

/** The group after a push; `replaceAll` is PUT. */
export function pushed(
  before: PushGroup | undefined,
  push: {
    readonly grouping: readonly string[];
    readonly families: ReadonlyMap<string, PushedFamily>;
    readonly replaceAll: boolean;
    readonly nowMs: number;
  },
): PushGroup {
  const kept = push.replaceAll ? [] : (before?.families ?? []);
  return {
    grouping: push.grouping,
    families: new Map([...kept, ...push.families]),
    pushedAtMs: push.nowMs,
    failedAtMs: before?.failedAtMs ?? 0,
  };
}

/** The group after a push that failed: its metrics stay. */
export function failed(before: PushGroup | undefined, grouping: readonly string[], nowMs: number): PushGroup {
  return { grouping, families: before?.families ?? new Map(), pushedAtMs: before?.pushedAtMs ?? 0, failedAtMs: nowMs };
}

/** Every sample that the group offers, the instants of its last success and failure included. */
export function* samplesOf(group: PushGroup): Generator<PushedSample> {
  const own = (name: string, atMs: number): PushedSample => ({
    labels: labelsFrom([...labelPairs(group.grouping), [METRIC_NAME, name]]),
    value: atMs / 1000,
  });
  yield own(PUSHED_AT, group.pushedAtMs);
  yield own(FAILED_AT, group.failedAtMs);
  for (const { samples } of group.families.values()) yield* samples;
}

export const sampleCount = (group: PushGroup): number => [...group.families.values()].reduce((sum, { samples }) => sum + samples.length, 2);
