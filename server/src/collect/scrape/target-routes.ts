import { AppError } from '@nines/base/errors.ts';
import { labelsOf, labelsToRecord } from '@nines/model/labels.ts';
import { isFull, visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { type RelabelRule, relabel } from '@nines/model/relabel.ts';
import { stringify } from 'yaml';
import { z } from 'zod';
import { redact } from '../../platform/config/redact.ts';
import type { Http } from '../../platform/http/contract.ts';
import type { Metadata } from '../metadata-book.ts';
import type { ScrapeManager } from './manager.ts';
import type { ScrapeJob } from './prometheus-file.ts';
import { metadataOfTargets } from './target-metadata.ts';
import { type TargetsView, targetListView } from './targets-view.ts';

/** What Prometheus' API says of scrape targets. Source: prometheus web/api/v1/api.go. */
export type TargetRoutesDeps = {
  readonly metadata: Metadata;
  readonly scrapes: Pick<ScrapeManager, 'view' | 'list' | 'exposed' | 'job'>;
};

const CONFIG = { permission: 'read', errors: 'prometheus' } as const;

export function targetRoutes(http: Http, deps: TargetRoutesDeps): void {
  http.get(
    '/api/targets',
    {
      config: { permission: 'read', scoped: {} },
      schema: { summary: 'Scrape targets', tags: ['metrics'], response: { 200: targetListView } },
    },
    () => deps.scrapes.list(),
  );
  const states = z.object({ state: z.enum(['active', 'dropped', 'any', '']).default('any'), scrapePool: z.string().optional() });
  http.get('/api/v1/targets', { config: { ...CONFIG, scoped: 'handler' }, schema: schemaOf('Scrape targets', states) }, (request) => {
    const { state, scrapePool } = request.query;
    const all = seenTargets(deps.scrapes.view(), request.actor.scope);
    const asked = (target: { readonly scrapePool: string }): boolean => scrapePool === undefined || target.scrapePool === scrapePool;
    const activeTargets = state === 'dropped' ? [] : all.activeTargets.filter(asked);
    const droppedTargets = state === 'active' ? [] : all.droppedTargets.filter(asked);
    return { status: 'success', data: { activeTargets, droppedTargets, droppedTargetCounts: all.droppedTargetCounts } };
  });
  const poolsConfig = { ...CONFIG, scoped: 'handler' } as const;
  http.get('/api/v1/scrape_pools', { config: poolsConfig, schema: schemaOf('Names of the scrape jobs', z.object({})) }, ({ actor }) => ({
    status: 'success',
    data: { scrapePools: seenTargets(deps.scrapes.view(), actor.scope).scrapePools },
  }));
  const whose = z.object({
    match_target: z.string().default(''),
    metric: z.string().default(''),
    limit: z.coerce.number().int().default(-1),
  });
  http.get(
    '/api/v1/targets/metadata',
    { config: CONFIG, schema: schemaOf('Type, help and unit of metrics by target', whose) },
    (request) => {
      const { match_target: matchTarget, metric, limit } = request.query;
      return { status: 'success', data: metadataOfTargets(deps.scrapes.exposed(), deps.metadata, { matchTarget, metric, limit }) };
    },
  );
  jobRoutes(http, deps);
}

/** Targets are judged by the labels of their series; those that are dropped have none, and belong to whoever sees everything. */
function seenTargets(all: TargetsView, scope: Scope): TargetsView {
  if (isFull(scope)) return all;
  const activeTargets = all.activeTargets.filter(({ labels }) => visible(scope, labels));
  const scrapePools = [...new Set(activeTargets.map(({ scrapePool }) => scrapePool))].sort();
  return { activeTargets, droppedTargets: [], droppedTargetCounts: {}, scrapePools };
}

function jobRoutes(http: Http, deps: TargetRoutesDeps): void {
  const jobOf = (name: string | undefined): ScrapeJob => {
    if (name === undefined || name === '') throw refused('no scrapePool parameter provided', 'scrapePool');
    const job = deps.scrapes.job(name);
    if (job === undefined) throw refused(`scrape pool "${name}" not found`, 'scrapePool');
    return job;
  };
  const pool = z.object({ scrapePool: z.string().optional() });
  const configSchema = schemaOf('The configuration of a scrape job with its defaults, secrets redacted', pool);
  http.get('/api/v1/scrape_pools/config', { config: { ...CONFIG, audit: 'read' }, schema: configSchema }, (request) => ({
    status: 'success',
    data: { yaml: stringify(redact(jobOf(request.query.scrapePool).effective)) },
  }));
  const stepsSchema = schemaOf('What each relabelling rule of a job makes of labels', pool.extend({ labels: z.string().optional() }));
  http.get('/api/v1/targets/relabel_steps', { config: CONFIG, schema: stepsSchema }, (request) => {
    const { scrapePool, labels } = request.query;
    const { relabelRules } = jobOf(scrapePool);
    return { status: 'success', data: { steps: relabelSteps(relabelRules, readLabels(labels)) } };
  });
}

const schemaOf = <T extends z.ZodType>(summary: string, querystring: T) => ({ summary, tags: ['prometheus'], querystring });

const refused = (message: string, field: string): AppError => new AppError('bad_input', 'bad_parameter', message, { field });

function readLabels(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined || text === '') throw refused('no labels parameter provided', 'labels');
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch (thrown) {
    throw new AppError('bad_input', 'bad_parameter', 'labels is not a JSON object of texts', { field: 'labels', cause: thrown });
  }
}

type RelabelStep = { readonly rule: unknown; readonly output: Readonly<Record<string, string>>; readonly keep: boolean };

/** The labels after each rule; once a rule has dropped them there are none. */
export function relabelSteps(rules: readonly RelabelRule[], labels: Readonly<Record<string, string>>): readonly RelabelStep[] {
  return rules.map((rule, index) => {
    const output = relabel(labelsOf(labels), rules.slice(0, index + 1));
    return { rule: viewOfRule(rule), output: output === undefined ? {} : labelsToRecord(output), keep: output !== undefined };
  });
}

/** Prometheus leaves out what is empty. */
function viewOfRule({ action, sourceLabels, separator, regex, modulus, targetLabel, replacement }: RelabelRule): unknown {
  return {
    ...(sourceLabels.length === 0 ? {} : { source_labels: sourceLabels }),
    separator,
    regex: regex.source,
    ...(modulus === 0 ? {} : { modulus }),
    ...(targetLabel === '' ? {} : { target_label: targetLabel }),
    replacement,
    action,
  };
}
