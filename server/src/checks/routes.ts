import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { visible } from '@nines/model/scope.ts';
import { z } from 'zod';
import type { Recorder } from '../availability/contract.ts';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import {
  checkDetailView,
  type Checks,
  type CheckSpec,
  CHECK_CODES,
  type Failures,
  failuresView,
  checkToWire,
  checkView,
  resultToWire,
  resultView,
  templateView,
} from './contract.ts';
import { CHECK_ORDERS, findChecks } from './search.ts';
import { TEMPLATES } from './templates.ts';

const CHECKS: ScopedThings = { names: { params: { id: 'check' } }, id: 'check' };

export type CheckRouteDeps = {
  readonly checks: Checks;
  readonly failures: Failures;
  readonly ledger: Pick<Recorder, 'currentOfCheck' | 'flapping'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** Failures of one answer: as many as are kept of a check. */
const MAX_FAILURES = 100;
/** Items of one page; ten thousand checks are listed in a few. */
const MAX_PAGE = 1_000;
const MAX_TEXT_CHARS = 200;

const listQuery = z.object({
  service: z.string().optional(),
  team: z.string().optional(),
  /** Words that all occur in the id, the name, the service, the kind, the target or the state. */
  q: z.string().max(MAX_TEXT_CHARS).optional(),
  order: z.enum(CHECK_ORDERS).default('written'),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
  /** The `next` of the page before; of the same search in the same order. */
  after: z.string().optional(),
  /** Where the page begins, counted from the first that is found: to any place of a long list at once. Instead of `after`. */
  offset: z.coerce.number().int().min(0).default(0),
});

/** The checks that run, with the state the ledger gives them and what their latest attempts saw. */
export function checkRoutes(http: Http, deps: CheckRouteDeps): void {
  const { checks, failures, ledger } = deps;
  const config = { permission: 'read' as const };
  const standing = (id: string) => ({ ...ledger.currentOfCheck(id), flapping: ledger.flapping(id) });
  const page = z.object({
    items: z.array(checkView),
    next: z.string().nullable(),
    /** How many the search finds. */
    total: z.number(),
    /** Of all that the reader may see, whatever is searched. */
    by_state: z.record(checkView.shape.state, z.number()),
  });
  http.get(
    '/api/checks',
    {
      config: { ...config, scoped: CHECKS },
      schema: {
        summary: 'Every check with its state and latest result',
        tags: ['checks'],
        querystring: listQuery,
        response: { 200: page },
      },
    },
    async (request) => {
      const { limit, after, offset, ...search } = request.query;
      const { scope } = request.actor;
      const seen = checks.list().filter((spec) => visible(scope, { ...spec.labels, service: spec.service }));
      const { found, byState } = findChecks(seen, search, (id) => ledger.currentOfCheck(id).state);
      const from = after === undefined ? offset : placeAfter(found, after);
      const items = found.slice(from, from + limit);
      const last = from + limit < found.length ? items.at(-1) : undefined;
      return {
        items: items.map((spec) => checkToWire(spec, standing(spec.id), checks.results(spec.id)[0])),
        next: last?.id ?? null,
        total: found.length,
        by_state: byState,
      };
    },
  );
  http.get(
    '/api/checks/:id',
    {
      config: { ...config, scoped: CHECKS },
      schema: {
        summary: 'One check with its latest results',
        tags: ['checks'],
        params: z.object({ id: z.string() }),
        response: { 200: checkDetailView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const spec = checks.list().find((one) => one.id === id);
      if (spec === undefined) throw new AppError('not_found', CHECK_CODES.notFound, `there is no check "${id}"`);
      const results = checks.results(id);
      const failure = checks.lastFailure(id);
      // What this process has not seen itself is told from what the one before kept.
      const [kept] = failure === undefined ? await failures.list(id, { fromMs: 0, toMs: deps.clock.now(), limit: 1 }) : [];
      return {
        ...checkToWire(spec, standing(id), results[0]),
        results: results.map(resultToWire),
        last_failure: failure === undefined ? (kept ?? null) : resultToWire(failure),
      };
    },
  );
  otherRoutes(http, checks);
  failureRoute(http, deps);
  runRoute(http, checks);
}

/** `AppError` `bad_cursor`: there is no telling where the list went on, and its beginning would look like more of it. */
function placeAfter(found: readonly CheckSpec[], after: string): number {
  const place = found.findIndex(({ id }) => id === after);
  if (place >= 0) return place + 1;
  const message = `the check "${after}" is not in this list, or no longer; read it from its beginning`;
  throw new AppError('bad_input', 'bad_cursor', message, { field: 'after' });
}

const failuresQuery = z.object({
  /** Both inclusive; default: all that is kept. */
  from: instant.optional(),
  to: instant.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_FAILURES).default(20),
});

function failureRoute(http: Http, { failures, clock }: CheckRouteDeps): void {
  http.get(
    '/api/checks/:id/failures',
    {
      config: { permission: 'read', scoped: { names: { params: { id: 'check' } } } },
      schema: {
        summary: 'What failing attempts of a check saw, newest first; kept through restarts and after the check has gone',
        tags: ['checks'],
        params: z.object({ id: z.string() }),
        querystring: failuresQuery,
        response: { 200: failuresView },
      },
    },
    async (request) => {
      const { from: fromMs = 0, to: toMs = clock.now(), limit } = request.query;
      return { items: [...(await failures.list(request.params.id, { fromMs, toMs, limit }))] };
    },
  );
}

/** One more attempt besides its schedule; its result counts like any other. */
function runRoute(http: Http, checks: Checks): void {
  http.post(
    '/api/checks/:id/run',
    {
      config: { permission: 'operate', scoped: { names: { params: { id: 'check' } } } },
      schema: {
        summary: 'Ask once more, now; the answer is the newest result',
        tags: ['checks'],
        params: z.object({ id: z.string() }),
        response: { 200: resultView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const spec = checks.list().find((one) => one.id === id);
      if (spec === undefined) throw new AppError('not_found', CHECK_CODES.notFound, `there is no check "${id}"`);
      const refusal = whyNotNow(spec);
      if (refusal !== undefined) throw new AppError('conflict', CHECK_CODES.notAskable, refusal);
      await checks.askNow(id);
      const [latest] = checks.results(id);
      if (latest === undefined)
        throw new AppError('unavailable', CHECK_CODES.notAskable, `the result of "${id}" could not be stored; the log says why`);
      return resultToWire(latest);
    },
  );
}

/** Why nobody can have a check asked by hand. */
function whyNotNow({ id, kind, paused, vote }: CheckSpec): string | undefined {
  if (paused) return `"${id}" is paused: let it go on first`;
  if (kind === 'heartbeat') return `"${id}" asks nothing, it waits to be told`;
  return vote === undefined ? undefined : `"${id}" is asked from several places at the same instants: wait for the next of them`;
}

function otherRoutes(http: Http, checks: Checks): void {
  const config = { permission: 'read' as const };
  http.get(
    '/api/check-templates',
    {
      config: { ...config, scoped: { free: 'what the product ships' } },
      schema: {
        summary: 'What checks of common kinds of services begin with',
        tags: ['checks'],
        response: { 200: z.object({ items: z.array(templateView) }) },
      },
    },
    async () => ({ items: TEMPLATES.map((template) => ({ ...template, check: { ...template.check } })) }),
  );
  http.get(
    '/api/checks/:id/screenshot',
    {
      config: { ...config, scoped: CHECKS },
      schema: {
        summary: 'What the last failing journey of a check saw, as a JPEG picture',
        tags: ['checks'],
        params: z.object({ id: z.string() }),
      },
    },
    async (request, reply) => {
      const picture = checks.lastFailure(request.params.id)?.screenshot;
      if (picture === undefined) {
        throw new AppError('not_found', CHECK_CODES.noScreenshot, `there is no picture of a failure of "${request.params.id}"`);
      }
      return reply.type('image/jpeg').header('cache-control', 'no-store').send(picture);
    },
  );
}
