import { labelValue, labelsFrom } from '@nines/model/labels.ts';
import type { Labels } from '@nines/model/labels.ts';
import { relabel } from '@nines/model/relabel.ts';
import type { TargetGroup } from '../discover/contract.ts';
import type { ManagerSettings } from './contract.ts';

/** Alertmanagers that one entry may have; more are no cluster but a wrong list. */
export const MAX_ALERTMANAGERS = 100;

export type Endpoints = {
  readonly urls: readonly string[];
  /** Those that relabelling drops, as they would have been asked. */
  readonly dropped: readonly string[];
  /** Why one cannot be asked, one sentence each. */
  readonly faults: readonly string[];
};

/** The addresses of one entry's Alertmanagers, each once. Source: prometheus notifier/alertmanager.go. */
export function endpointsOf(settings: ManagerSettings, groups: readonly TargetGroup[]): Endpoints {
  const urls = new Set<string>();
  const dropped = new Set<string>();
  const faults: string[] = [];
  for (const group of [...settings.groups, ...groups]) {
    for (const own of group.targets) {
      const found = labelsFrom([
        ...Object.entries({ ...group.labels, ...own }),
        ['__scheme__', settings.scheme],
        ['__alerts_path__', pathOf(settings.pathPrefix)],
      ]);
      const taken = relabel(found, settings.relabelRules);
      const url = urlOf(taken ?? found);
      if (url === undefined) faults.push(`no address can be made of "${labelValue(taken ?? found, '__address__')}"`);
      else (taken === undefined ? dropped : urls).add(url);
    }
  }
  if (urls.size > MAX_ALERTMANAGERS) faults.push(`${urls.size} Alertmanagers, of which the first ${MAX_ALERTMANAGERS} are sent to`);
  return { urls: [...urls].slice(0, MAX_ALERTMANAGERS), dropped: [...dropped].slice(0, MAX_ALERTMANAGERS), faults };
}

/** One slash at every joint, whatever the prefix has. */
const pathOf = (prefix: string): string => `/${prefix}/api/v2/alerts`.replace(/\/+/g, '/');

function urlOf(labels: Labels): string | undefined {
  const address = labelValue(labels, '__address__');
  const text = `${labelValue(labels, '__scheme__')}://${address}${labelValue(labels, '__alerts_path__')}`;
  return address === '' || address.includes('/') || !URL.canParse(text) ? undefined : text;
}
