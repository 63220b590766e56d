import type { EpochMs } from '@nines/base/units.ts';
import { type TemplateValue, parseTemplate, renderTemplate } from '../rules/contract.ts';
import type { Message, MessageAlert } from './contract.ts';
import { subjectOf } from './text.ts';

/** A channel's templates as written; checked when the configuration was read. */
export type TemplatesConfig = { readonly title?: string | undefined; readonly text?: string | undefined };
export type Words = { readonly title?: string | undefined; readonly text?: string | undefined };

/**
 * The user's own words for a message. Never fails: what a broken template should have said is said by the product's own words, and the
 * title says so.
 */
export async function wordsOf(message: Message, templates: TemplatesConfig | undefined, atMs: EpochMs): Promise<Words | undefined> {
  if (templates === undefined) return undefined;
  const data = dataOf(message);
  const faults: string[] = [];
  const render = async (name: 'title' | 'text'): Promise<string | undefined> => {
    const source = templates[name];
    if (source === undefined) return undefined;
    const parsed = parseTemplate(source);
    const made = parsed.ok ? await renderTemplate(parsed.value, data, atMs) : parsed;
    if (made.ok) return made.value.trim() === '' ? undefined : made.value;
    faults.push(`${name}: ${made.error}`);
    return undefined;
  };
  const [title, text] = [await render('title'), await render('text')];
  if (faults.length === 0) return { title, text };
  return { title: `${title ?? subjectOf(message)} (template failed: ${faults.join('; ')})`, text };
}

export const templateFault = (source: string): string | undefined => {
  const parsed = parseTemplate(source);
  return parsed.ok ? undefined : parsed.error;
};

/** Alertmanager's data for templates. Source: alertmanager template.Data. */
function dataOf(message: Message): TemplateValue {
  const alerts = message.alerts.map(alertData);
  const ofStatus = (status: string): TemplateValue => message.alerts.flatMap((alert, i) => (alert.status === status ? [alerts[i]] : []));
  return {
    Receiver: message.receiver,
    Status: message.status,
    // Methods of Alertmanager's list; a `range` goes over the alerts alone.
    Alerts: withHidden(alerts, { Firing: ofStatus('firing'), Resolved: ofStatus('resolved') }),
    GroupLabels: pairs(message.groupLabels),
    CommonLabels: pairs(message.commonLabels),
    CommonAnnotations: pairs(message.commonAnnotations),
    ExternalURL: message.externalURL,
    GroupKey: message.groupKey,
    TruncatedAlerts: message.truncatedAlerts,
  };
}

const alertData = ({ status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint }: MessageAlert): TemplateValue => ({
  Status: status,
  Labels: pairs(labels),
  Annotations: pairs(annotations),
  StartsAt: startsAt,
  EndsAt: endsAt,
  GeneratorURL: generatorURL,
  Fingerprint: fingerprint,
});

/** Alertmanager's KV: fields by name, and its methods, which a `range` does not see. */
function pairs(record: Readonly<Record<string, string>>): TemplateValue {
  const names = Object.keys(record).sort((a, b) => Number(b === 'alertname') - Number(a === 'alertname') || (a < b ? -1 : 1));
  const sorted = names.map((name) => ({ Name: name, Value: record[name] ?? '' }));
  return withHidden({ ...record }, { SortedPairs: sorted, Names: names, Values: names.map((name) => record[name] ?? '') });
}

function withHidden<T extends object>(value: T, hidden: Readonly<Record<string, TemplateValue>>): T {
  for (const [name, member] of Object.entries(hidden))
    if (!Object.hasOwn(value, name)) Object.defineProperty(value, name, { value: member });
  return value;
}
