import { type Labels, METRIC_NAME, labelsFrom } from '../labels.ts';
import type { Attributes, InstrumentationScope } from './data.ts';
import { type LabelRules, labelName } from './names.ts';

/** The keys of Prometheus' configuration section `otlp`. */
export type OtlpSettings = LabelRules & {
  readonly promoteAllResourceAttributes: boolean;
  readonly promoteResourceAttributes: readonly string[];
  /** Left out of `promoteAllResourceAttributes`. */
  readonly ignoreResourceAttributes: readonly string[];
  /** Whether `target_info` repeats what `job` and `instance` are made of. */
  readonly keepIdentifyingResourceAttributes: boolean;
  readonly convertHistogramsToNhcb: boolean;
  readonly promoteScopeMetadata: boolean;
};

const SERVICE_NAME = 'service.name';
const SERVICE_NAMESPACE = 'service.namespace';
const SERVICE_INSTANCE = 'service.instance.id';
const IDENTIFYING: ReadonlySet<string> = new Set([SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE]);

/** An attribute whose key leaves no label name. */
export class InvalidAttribute {
  readonly key: string;
  constructor(key: string) {
    this.key = key;
  }
}

/** Labels that all points of one scope share. */
export type SharedLabels = {
  /** Give way to a point's own. */
  readonly weak: ReadonlyMap<string, string>;
  /** Win over a point's own. */
  readonly strong: ReadonlyMap<string, string>;
};

/** Throws `InvalidAttribute`. */
export function sharedLabels(resource: Attributes, scope: InstrumentationScope, settings: OtlpSettings): SharedLabels {
  const strong = new Map<string, string>();
  if (settings.promoteScopeMetadata && scope.name !== '') {
    strong.set('otel_scope_name', scope.name);
    strong.set('otel_scope_version', scope.version);
    strong.set('otel_scope_schema_url', scope.schemaUrl);
    for (const [key, value] of scope.attributes) strong.set(nameOf(`otel_scope_${key}`, settings), value);
  }
  for (const [name, value] of identity(resource)) strong.set(name, value);
  return {
    weak: joined(
      resource.filter(([key]) => isPromoted(key, settings)),
      settings,
    ),
    strong,
  };
}

function isPromoted(key: string, settings: OtlpSettings): boolean {
  if (settings.promoteAllResourceAttributes) return !settings.ignoreResourceAttributes.includes(key);
  return settings.promoteResourceAttributes.includes(key);
}

/** `job` and `instance`, as far as the resource tells. */
function identity(resource: Attributes): Map<'job' | 'instance', string> {
  const said = new Map(resource);
  const labels = new Map<'job' | 'instance', string>();
  const [service, namespace, instance] = [said.get(SERVICE_NAME), said.get(SERVICE_NAMESPACE), said.get(SERVICE_INSTANCE)];
  if (service !== undefined) labels.set('job', namespace === undefined ? service : `${namespace}/${service}`);
  if (instance !== undefined) labels.set('instance', instance);
  return labels;
}

/** A point's labels without the metric's name. Throws `InvalidAttribute`. */
export function pointLabels(attributes: Attributes, shared: SharedLabels, settings: OtlpSettings): ReadonlyMap<string, string> {
  const labels = joined(attributes, settings);
  for (const [name, value] of shared.weak) if (!labels.has(name)) labels.set(name, value);
  for (const [name, value] of shared.strong) labels.set(name, value);
  return labels;
}

/** Values whose keys become the same label are joined with `;`, in the order of the keys. */
function joined(attributes: Attributes, settings: OtlpSettings): Map<string, string> {
  const sorted = attributes.length < 2 ? attributes : attributes.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const labels = new Map<string, string>();
  for (const [key, value] of sorted) {
    const name = nameOf(key, settings);
    const before = labels.get(name);
    labels.set(name, before === undefined ? value : `${before};${value}`);
  }
  return labels;
}

function nameOf(key: string, settings: OtlpSettings): string {
  const name = labelName(key, settings);
  if (name === undefined) throw new InvalidAttribute(key);
  return name;
}

export const seriesLabels = (name: string, labels: ReadonlyMap<string, string>, extra?: readonly [string, string]): Labels =>
  labelsFrom([...labels, ...(extra === undefined ? [] : [extra]), [METRIC_NAME, name]]);

/** The labels of the resource's `target_info`, or undefined where it would tell nothing or nobody could join it. Throws `InvalidAttribute`. */
export function targetInfoLabels(resource: Attributes, settings: OtlpSettings): Labels | undefined {
  const known = identity(resource);
  const kept = settings.keepIdentifyingResourceAttributes ? resource : resource.filter(([key]) => !IDENTIFYING.has(key));
  if (known.size === 0 || resource.every(([key]) => IDENTIFYING.has(key))) return undefined;
  return seriesLabels('target_info', new Map([...joined(kept, settings), ...known]));
}
