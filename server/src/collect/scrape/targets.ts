import { formatDuration, parseDuration } from '@nines/base/duration.ts';
import { type Labels, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import { relabel } from '@nines/model/relabel.ts';
import type { TargetGroup } from '../../discover/contract.ts';
import type { ScrapeJob } from './prometheus-file.ts';

/** What to scrape and under which labels, after relabelling. */
export type Target = {
  readonly job: ScrapeJob;
  readonly discovered: Labels;
  /** Added to every sample. */
  readonly labels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Equal exactly when nothing about the scrape changed, so that a reload leaves it running. */
  readonly key: string;
};
export type TargetList = {
  readonly targets: readonly Target[];
  readonly dropped: readonly { readonly job: ScrapeJob; readonly discovered: Labels }[];
  /** Why a target cannot be scraped as relabelled, one sentence each. */
  readonly faults: readonly string[];
  /** Why none of the targets may be asked; they are down then. */
  readonly refusal: string | undefined;
};

/** The targets of one job, its own groups and those that were discovered. Two that end with the same labels and address are one. */
export function targetsOf(job: ScrapeJob, groups: readonly TargetGroup[] = []): TargetList {
  const targets = new Map<string, Target>();
  const dropped: TargetList['dropped'][number][] = [];
  const faults: string[] = [];
  for (const group of [...job.groups, ...groups]) {
    for (const own of group.targets) {
      const discovered = discoveredLabels(job, group, own);
      const relabelled = relabel(discovered, job.relabelRules);
      if (relabelled === undefined) dropped.push({ job, discovered });
      else {
        const target = targetOf(job, discovered, relabelled);
        if (typeof target === 'string') faults.push(`${job.name}: ${own['__address__']}: ${target}`);
        else targets.set(target.key, target);
      }
    }
  }
  const { targets: limit } = job.limits;
  const refusal = limit > 0 && targets.size > limit ? `${targets.size} targets are over target_limit ${limit}` : undefined;
  return { targets: [...targets.values()], dropped, faults, refusal };
}

/** A target's own labels win over its group's, and those over the job's. An empty one counts as absent, as in Prometheus. */
function discoveredLabels(job: ScrapeJob, group: TargetGroup, own: TargetGroup['targets'][number]): Labels {
  const params = Object.entries(job.params).flatMap(([name, values]) =>
    values[0] === undefined ? [] : [[`__param_${name}`, values[0]] as const],
  );
  return labelsFrom([
    ['job', job.name],
    ['__scheme__', job.scheme],
    ['__metrics_path__', job.metricsPath],
    ['__scrape_interval__', formatDuration(job.intervalMs)],
    ['__scrape_timeout__', formatDuration(job.timeoutMs)],
    ...params,
    ...Object.entries({ ...group.labels, ...own }).filter(([, value]) => value !== ''),
  ]);
}

function targetOf(job: ScrapeJob, discovered: Labels, relabelled: Labels): Target | string {
  const address = labelValue(relabelled, '__address__');
  if (address === '') return 'relabelling left no __address__';
  if (address.includes('/')) return `the address ${address} is not host:port`;
  const intervalMs = lengthOf(labelValue(relabelled, '__scrape_interval__'));
  const timeoutMs = lengthOf(labelValue(relabelled, '__scrape_timeout__'));
  if (intervalMs === undefined || intervalMs === 0) return 'relabelling left no valid __scrape_interval__';
  if (timeoutMs === undefined || timeoutMs === 0 || timeoutMs > intervalMs)
    return 'relabelling left no __scrape_timeout__ within the interval';
  const url = urlOf(job, relabelled, address);
  if (url === undefined) return `no address can be made of "${address}"`;
  const own = [...labelPairs(relabelled)].filter(([name]) => !name.startsWith('__'));
  const labels = labelsFrom([['instance', address], ...own]);
  const key = [job.fingerprint, url, intervalMs, timeoutMs, labelsKey(labels)].join('\u0000');
  return { job, discovered, labels, url, intervalMs, timeoutMs, key };
}

function lengthOf(text: string): number | undefined {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.value : undefined;
}

function urlOf(job: ScrapeJob, labels: Labels, address: string): string | undefined {
  const params = new Map(Object.entries(job.params).map(([name, values]) => [name, [...values]] as const));
  for (const [label, value] of labelPairs(labels)) {
    if (!label.startsWith('__param_')) continue;
    const name = label.slice('__param_'.length);
    params.set(name, [value, ...(params.get(name) ?? []).slice(1)]);
  }
  const query = new URLSearchParams();
  for (const [name, values] of params) for (const value of values) query.append(name, value);
  query.sort();
  const path = labelValue(labels, '__metrics_path__');
  const all = query.toString();
  const text = `${labelValue(labels, '__scheme__') || 'http'}://${address}${path.startsWith('/') ? '' : '/'}${path}`;
  if (!URL.canParse(text)) return undefined;
  return all === '' ? text : `${text}${text.includes('?') ? '&' : '?'}${all}`;
}
