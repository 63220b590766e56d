import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import * as contract from './contract.ts';
import type { CapacityTableService } from './capacity-table.ts';
import type { LoadTests } from './load-tests.ts';
import type { AnalyticsQuery } from './query.ts';
import type { StoredLoad } from './stored-load.ts';
import type { AskAnalytics } from './start.ts';
import type { Watching } from './watching.ts';

const { MAX_BODY_BYTES } = contract;
const config = { permission: 'read' } as const;
const tags = ['analytics'];

export type AnalyticsRoutesDeps = {
  readonly ask: AskAnalytics;
  readonly query: AnalyticsQuery;
  readonly storedLoad: StoredLoad;
  readonly capacity: Pick<CapacityTableService, 'table'>;
  readonly watching: Pick<Watching, 'episodes' | 'list'>;
  readonly loadTests: Pick<LoadTests, 'abort' | 'list' | 'start'>;
};
/** `/api/analytics/…`: the functions the product uses inside, on numbers that are sent along or stored. */
export function analyticsRoutes(http: Http, { ask, query, storedLoad, capacity, watching, loadTests }: AnalyticsRoutesDeps): void {
  seriesQuestions(http, ask);
  setQuestions(http, ask);
  loadQuestions(http, { ask, storedLoad });
  loadTestRoutes(http, loadTests);
  http.get(
    '/api/analytics/query',
    {
      config: { ...config, scoped: 'handler' },
      schema: {
        summary: 'Stored series with trend, anomalies and forecast',
        tags,
        querystring: contract.queryParams,
        response: { 200: contract.queryView },
      },
    },
    (request) => query(request.query, request.actor),
  );
  http.get(
    '/api/analytics/capacity-table',
    {
      config: { ...config, scoped: 'handler' },
      schema: { summary: 'What fills up and when, what leaks, what is too big', tags, response: { 200: contract.capacityTableView } },
    },
    (request) => capacity.table(request.actor.scope),
  );
  http.get(
    '/api/analytics/watch',
    {
      config: { ...config, scoped: 'handler' },
      schema: { summary: 'Watched series with their forecasts', tags, response: { 200: z.object({ items: z.array(contract.watchView) }) } },
    },
    async (request) => watching.list(request.actor.scope),
  );
  http.get(
    '/api/analytics/episodes',
    {
      config: { ...config, scoped: 'handler' },
      schema: {
        summary: 'Episodes of unusual values of watched series, newest first',
        tags,
        querystring: contract.episodesQuery,
        response: { 200: z.object({ items: z.array(contract.episodeOfWatchView) }) },
      },
    },
    (request) => watching.episodes(request.query, request.actor.scope),
  );
}

const options = { config: { ...config, scoped: { free: 'only what was sent is looked at' } }, bodyLimit: MAX_BODY_BYTES };

/** What load a system bears. */
function loadQuestions(http: Http, { ask, storedLoad }: Pick<AnalyticsRoutesDeps, 'ask' | 'storedLoad'>): void {
  const summary = 'Throughput by concurrency, and what happens when the load grows';
  http.post(
    '/api/analytics/load',
    { ...options, schema: { summary, tags, body: contract.loadBody, response: { 200: contract.loadView } } },
    ({ actor, body: { points, what_if: whatIf, level } }) => ask('load', { points, factor: whatIf.factor, level }, actor.id),
  );
  http.get(
    '/api/analytics/load',
    {
      config: { ...config, scoped: 'handler' },
      schema: { summary: `${summary}, from stored series`, tags, querystring: contract.loadQuery, response: { 200: contract.loadView } },
    },
    (request) => storedLoad(request.query, request.actor),
  );
  http.post(
    '/api/analytics/load/import',
    {
      ...options,
      schema: {
        summary: `${summary}, from results of k6 and JMeter`,
        tags,
        body: contract.loadImportBody,
        response: { 200: contract.loadImportView },
      },
    },
    ({ actor, body: { text, what_if: whatIf, level } }) => ask('load_import', { text, factor: whatIf.factor, level }, actor.id),
  );
}

/** Asking a check again and again. Who may see only a part says which check a test to be ended is of. */
function loadTestRoutes(http: Http, loadTests: AnalyticsRoutesDeps['loadTests']): void {
  const url = '/api/analytics/load/test';
  http.get(
    url,
    {
      config: { ...config, scoped: {} },
      schema: { summary: 'The load test under way, and the latest of each check', tags, response: { 200: contract.loadTestsView } },
    },
    () => loadTests.list(),
  );
  http.post(
    url,
    {
      config: { permission: 'operate', stepUp: true, scoped: { names: { body: { check: 'check' } } } },
      schema: {
        summary: 'Begin a load test of a check that the configuration allows',
        description: 'Answers once it has begun. It stops by itself when requests fail or become slow.',
        tags,
        body: contract.loadTestBody,
        response: { 202: contract.loadTestView },
      },
    },
    async (request, reply) => reply.code(202).send(await loadTests.start(request.body, request.actor)),
  );
  http.delete(
    url,
    {
      config: { permission: 'operate', scoped: { names: { query: { check: 'check' } }, needs: ['check'] } },
      schema: {
        summary: 'End the load test under way',
        tags,
        querystring: contract.loadTestQuery,
        response: { 200: contract.loadTestView },
      },
    },
    (request) => loadTests.abort(request.query, request.actor),
  );
}

/** Of one series. */
function seriesQuestions(http: Http, ask: AskAnalytics): void {
  http.post(
    '/api/analytics/forecast',
    {
      ...options,
      schema: {
        summary: 'Forecast with intervals and a back-test',
        tags,
        body: contract.forecastBody,
        response: { 200: contract.forecastView },
      },
    },
    (request) => ask('forecast', request.body, request.actor.id),
  );
  http.post(
    '/api/analytics/anomalies',
    {
      ...options,
      schema: { summary: 'Score points and find episodes', tags, body: contract.anomaliesBody, response: { 200: contract.anomaliesView } },
    },
    (request) => ask('anomalies', request.body, request.actor.id),
  );
  http.post(
    '/api/analytics/seasonality',
    {
      ...options,
      schema: {
        summary: 'Find seasons and take a series apart',
        tags,
        body: contract.seasonalityBody,
        response: { 200: contract.seasonalityView },
      },
    },
    (request) => ask('seasonality', request.body, request.actor.id),
  );
  http.post(
    '/api/analytics/capacity',
    {
      ...options,
      schema: {
        summary: 'When a limit is reached, and whether something leaks',
        tags,
        body: contract.capacityBody,
        response: { 200: contract.capacityView },
      },
    },
    (request) => ask('capacity', request.body, request.actor.id),
  );
}

/** Of several columns or series. */
function setQuestions(http: Http, ask: AskAnalytics): void {
  http.post(
    '/api/analytics/regression',
    {
      ...options,
      schema: {
        summary: 'Fit a polynomial or several variables',
        tags,
        body: contract.regressionBody,
        response: { 200: contract.regressionView },
      },
    },
    (request) => ask('regression', request.body, request.actor.id),
  );
  http.post(
    '/api/analytics/correlation',
    {
      ...options,
      schema: { summary: 'What moves with what', tags, body: contract.correlationBody, response: { 200: contract.correlationView } },
    },
    (request) => ask('correlation', request.body, request.actor.id),
  );
  http.post(
    '/api/analytics/drift',
    {
      ...options,
      schema: { summary: 'Compare two sets of features', tags, body: contract.driftBody, response: { 200: contract.driftView } },
    },
    (request) => ask('drift', request.body, request.actor.id),
  );
}
