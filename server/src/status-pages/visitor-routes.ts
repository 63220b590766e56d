import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { httpUrl } from '../platform/config/fields.ts';
import { takesGzip } from '../platform/http/compress.ts';
import type { Http } from '../platform/http/contract.ts';
import { statusOf } from '../platform/http/problem.ts';
import { html } from '../platform/html.ts';
import type { Artefact } from './artefacts.ts';
import { policyOfPage, type Written } from './board.ts';
import { STATUS_PAGE_CODES, pagePath } from './contract.ts';
import type { StandingPage } from './pages.ts';
import type { OpenedStatusPages } from './start.ts';
import { type SmallPage, indexPage, notePage, nothingHere, signInPage } from './visitor-pages.ts';
import { VISIT_MS, cookieOf, isGrant, isKey, visitOf } from './visits.ts';

/** Slows the guessing of passwords; see access/throttle.ts. */
export type Throttle = {
  waitMs(account: string, address: string, nowMs: number): number;
  trying(account: string, address: string, nowMs: number): void;
  succeeded(account: string, address: string): void;
};

export type Visitors = {
  readonly clock: Pick<Clock, 'now'>;
  readonly throttle: Throttle;
  /** Requests arrive over TLS, so cookies can be tied to it. */
  readonly secure: boolean;
};
type Deps = Visitors & Pick<OpenedStatusPages, 'pages' | 'board' | 'subscriptions' | 'links'>;

/** How long browsers and proxies may show a page without asking; a page that is old is asked for sooner. */
const MAX_AGE_S = 15;
const STALE_MAX_AGE_S = 5;
const LOGO_MAX_AGE_S = 300;
const MAX_FORM_BYTES = 8 * 1024;
const PUBLIC = { config: { permission: 'public' as const, undocumented: true } };
/** Pictures and feeds of public pages may stand in pages of others. */
const EMBEDDABLE = { 'cross-origin-resource-policy': 'cross-origin' };
const STILL = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

type Visit = { readonly request: FastifyRequest; readonly reply: FastifyReply };
type Params = { readonly page: string; readonly '*'?: string };

/**
 * What visitors of status pages see. Pages, feeds and badges come from memory, with no query while anybody waits. Only subscribing and
 * signing in ask anything of the database.
 */
export function visitorRoutes(http: Http, deps: Deps): void {
  http.register(async (scope) => {
    // Forms of pages without a script are sent like this; everywhere else only JSON is read.
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    pageRoutes(scope as unknown as Http, deps);
    signInRoutes(scope as unknown as Http, deps);
    subscribeRoutes(scope as unknown as Http, deps);
  });
}

const visitOfCall = (request: unknown, reply: unknown): Visit => ({ request: request as FastifyRequest, reply: reply as FastifyReply });
const paramsOf = ({ request }: Visit): Params => request.params as Params;

/** A parameter of the query that stands there once. */
function asked({ request }: Visit, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

function pageRoutes(http: Http, deps: Deps): void {
  http.get('/status', PUBLIC, (request, reply) => sendIndex(deps, visitOfCall(request, reply)));
  http.get('/status/', PUBLIC, (request, reply) => sendIndex(deps, visitOfCall(request, reply)));
  http.get('/status/:page', PUBLIC, (request, reply) => sendPart(deps, visitOfCall(request, reply), ''));
  http.get('/status/:page/logo', PUBLIC, (request, reply) => sendLogo(deps, visitOfCall(request, reply)));
  http.get('/status/:page/*', PUBLIC, (request, reply) => {
    const visit = visitOfCall(request, reply);
    return sendPart(deps, visit, paramsOf(visit)['*'] ?? '');
  });
}

/** The only public page itself, or a list of them. */
async function sendIndex(deps: Deps, visit: Visit): Promise<FastifyReply> {
  const open = deps.pages.list().filter(({ spec }) => spec.private === undefined);
  const [only] = open;
  if (only !== undefined && open.length === 1) return sendPart(deps, visit, '', only);
  const shown = open.map(({ spec }) => ({ ...spec, state: deps.board.written(spec.id)?.state ?? null }));
  return sendSmall(visit, indexPage(shown));
}

/** The page if the visitor may see it. Whether it is missing or closed is not told. */
function opened(deps: Deps, visit: Visit): StandingPage | undefined {
  const page = deps.pages.get(paramsOf(visit).page);
  if (page === undefined || page.spec.private === undefined) return page;
  const { spec } = page;
  const cookie = visit.request.cookies[cookieOf(spec)];
  const isKnown = cookie !== undefined && isGrant(deps.links, 'cookie', spec, { text: cookie, nowMs: deps.clock.now() });
  return isKnown || hasKey(deps, page, visit) ? page : undefined;
}

/** Whether the address itself opens the page: with its token, or with a link from the application. */
function hasKey({ links, clock }: Deps, { spec }: StandingPage, visit: Visit): boolean {
  const [token, pass] = [asked(visit, 'token'), asked(visit, 'pass')];
  return (
    (token !== undefined && isKey(spec, 'token', token)) ||
    (pass !== undefined && isGrant(links, 'pass', spec, { text: pass, nowMs: clock.now() }))
  );
}

async function sendPart(deps: Deps, visit: Visit, path: string, only?: StandingPage): Promise<FastifyReply> {
  const page = only ?? opened(deps, visit);
  if (page === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  const { spec } = page;
  // The secret leaves the address line, where others read it and histories keep it.
  if (path === '' && spec.private !== undefined && hasKey(deps, page, visit)) return letIn(deps, page, visit);
  const written = deps.board.written(spec.id);
  if (written === undefined)
    throw new AppError('unavailable', STATUS_PAGE_CODES.unwritten, 'this status page is being written', { retryAfterMs: 2_000 });
  const artefact = written.artefacts.get(path);
  if (artefact === undefined) return sendSmall(visit, nothingHere(spec.id));
  return sendArtefact(deps, visit, { page, written, artefact, path });
}

type Part = { readonly page: StandingPage; readonly written: Written; readonly artefact: Artefact; readonly path: string };

async function sendArtefact({ board }: Deps, { request, reply }: Visit, { page, written, artefact, path }: Part): Promise<FastifyReply> {
  const isStale = board.isStale(written);
  const sent = isStale && path === '' ? await board.staleOf(written, artefact) : artefact;
  const isPrivate = page.spec.private !== undefined;
  reply.headers({
    'cache-control': isPrivate ? 'private, no-cache' : `public, max-age=${isStale ? STALE_MAX_AGE_S : MAX_AGE_S}`,
    etag: sent.etag,
    'last-modified': new Date(written.atMs).toUTCString(),
    vary: isPrivate ? 'accept-encoding, cookie' : 'accept-encoding',
    'content-security-policy': path === '' ? policyOfPage(page.spec) : STILL,
    ...(isPrivate || path === '' ? {} : EMBEDDABLE),
    ...(isPrivate || path !== 'status.json' ? {} : { 'access-control-allow-origin': '*' }),
  });
  if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(sent.etag) === true) return reply.code(304).send();
  reply.type(sent.type);
  return takesGzip(request.headers['accept-encoding'])
    ? reply.header('content-encoding', 'gzip').send(sent.gzipped)
    : reply.send(sent.body);
}

async function sendLogo(deps: Deps, visit: Visit): Promise<FastifyReply> {
  const page = opened(deps, visit);
  const logo = page?.logo;
  if (page === undefined || logo === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  const cache = page.spec.private === undefined ? 'public' : 'private';
  visit.reply.headers({ 'cache-control': `${cache}, max-age=${LOGO_MAX_AGE_S}`, 'content-security-policy': STILL });
  return visit.reply.type(logo.type).send(logo.body);
}

function sendSmall({ reply }: Visit, { status, text, policy }: SmallPage): FastifyReply {
  reply.headers({ 'cache-control': 'no-store', 'content-security-policy': policy });
  return reply.code(status).type('text/html; charset=utf-8').send(text);
}

/** Opens a private page in this browser. */
function letIn({ links, clock, secure }: Deps, { spec }: StandingPage, { reply }: Visit): FastifyReply {
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: VISIT_MS / 1_000 } as const;
  void reply.setCookie(cookieOf(spec), visitOf(links, spec, clock.now()), options);
  return reply.header('cache-control', 'no-store').redirect(pagePath(spec), 303);
}

function signInRoutes(http: Http, deps: Deps): void {
  http.get('/status/:page/sign-in', PUBLIC, (request, reply) => {
    const visit = visitOfCall(request, reply);
    return sendSmall(visit, signInPage(paramsOf(visit).page, undefined, 200));
  });
  http.post('/status/:page/sign-in', PUBLIC, (request, reply) => {
    const visit = visitOfCall(request, reply);
    const { page: id } = paramsOf(visit);
    const nowMs = deps.clock.now();
    const peer = visit.request.ip;
    const waitMs = deps.throttle.waitMs(id, peer, nowMs);
    if (waitMs > 0) {
      visit.reply.header('retry-after', String(Math.ceil(waitMs / 1_000)));
      return sendSmall(visit, signInPage(id, `Too many tries. Wait ${Math.ceil(waitMs / 1_000)} s.`, 429));
    }
    const { password } = (visit.request.body ?? {}) as { readonly password?: unknown };
    const page = deps.pages.get(id);
    deps.throttle.trying(id, peer, nowMs);
    if (page === undefined || typeof password !== 'string' || !isKey(page.spec, 'password', password)) {
      return sendSmall(visit, signInPage(id, 'No page opens with this password here.', 403));
    }
    deps.throttle.succeeded(id, peer);
    return letIn(deps, page, visit);
  });
}

const wishes = z.union([
  z.object({ email: z.email().max(254) }).transform(({ email }) => ({ kind: 'email' as const, address: email })),
  z.object({ webhook: httpUrl.max(2_000) }).transform(({ webhook }) => ({ kind: 'webhook' as const, address: webhook })),
]);

function subscribeRoutes(http: Http, deps: Deps): void {
  http.post('/status/:page/subscribe', PUBLIC, (request, reply) => subscribe(deps, visitOfCall(request, reply)));
  // Programs that look at links in mails before their reader does must not confirm for them: a button does.
  http.get('/status/:page/confirm', PUBLIC, (request, reply) => confirm(deps, visitOfCall(request, reply), false));
  http.post('/status/:page/confirm', PUBLIC, (request, reply) => confirm(deps, visitOfCall(request, reply), true));
  http.get('/status/:page/unsubscribe', PUBLIC, (request, reply) => unsubscribe(deps, visitOfCall(request, reply), false));
  // Mail programs post here with one click (RFC 8058), pages with their button.
  http.post('/status/:page/unsubscribe', PUBLIC, (request, reply) => unsubscribe(deps, visitOfCall(request, reply), true));
}

/** The answer is the same whether or not the address is known, so that nobody learns who is subscribed. */
async function subscribe(deps: Deps, visit: Visit): Promise<FastifyReply> {
  const page = opened(deps, visit);
  if (page === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  const refuse = (text: string, status = 400): FastifyReply =>
    sendSmall(visit, notePage(page, status, { title: 'This did not work', text }));
  const wish = wishes.safeParse(visit.request.body);
  if (!wish.success) return refuse('Write a mail address, or an address that begins with https://.');
  const { kind, address } = wish.data;
  const { email, webhook } = page.spec.subscriptions;
  if (kind === 'email' ? email === undefined : !webhook) return refuse(`This page takes no subscriptions by ${kind}.`);
  try {
    await deps.subscriptions.ask({ page: page.spec, kind, address }, visit.request.ip);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== STATUS_PAGE_CODES.tooManyTries) throw thrown;
    return refuse(`${thrown.message.charAt(0).toUpperCase()}${thrown.message.slice(1)}.`, statusOf(thrown));
  }
  const where = kind === 'email' ? 'A mail with a link is on its way to you' : 'A message with a link is on its way to your webhook';
  return sendSmall(
    visit,
    notePage(page, 202, {
      title: 'One more step',
      text: `${where}. Open the link within two days; before that nothing is kept and nothing is sent.`,
    }),
  );
}

async function confirm(deps: Deps, visit: Visit, isMeant: boolean): Promise<FastifyReply> {
  const page = deps.pages.get(paramsOf(visit).page);
  const token = asked(visit, 'token');
  const wish = page === undefined || token === undefined ? undefined : deps.subscriptions.ofConfirmation(page.spec, token);
  if (page === undefined || token === undefined || wish === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  if (!isMeant) {
    const more = html`<form method="post" action="${pagePath(page.spec)}/confirm?token=${token}"><button>Confirm the subscription</button></form>`;
    const text = `What is announced goes to ${wish.address} as soon as you confirm it.`;
    return sendSmall(visit, notePage(page, 200, { title: 'Confirm the subscription', text, more }));
  }
  const subscriber = await deps.subscriptions.confirm(page.spec, token);
  if (subscriber === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  const ending = `${pagePath(page.spec)}/unsubscribe?token=${deps.subscriptions.endingOf(subscriber)}`;
  const more = html`<p><a href="${ending}">End the subscription</a></p>`;
  return sendSmall(
    visit,
    notePage(page, 200, { title: 'You are subscribed', text: `What is announced goes to ${subscriber.address} from now on.`, more }),
  );
}

async function unsubscribe(deps: Deps, visit: Visit, isMeant: boolean): Promise<FastifyReply> {
  const page = deps.pages.get(paramsOf(visit).page);
  const token = asked(visit, 'token') ?? '';
  const subscriber = await deps.subscriptions.ofEnding(token);
  if (page === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
  if (subscriber === undefined || subscriber.page !== page.spec.id) {
    // Without a link of ours nobody learns whether there is a page that they may not see.
    if (opened(deps, visit) === undefined) return sendSmall(visit, nothingHere(paramsOf(visit).page));
    return sendSmall(
      visit,
      notePage(page, 200, { title: 'Not subscribed', text: 'There is no such subscription, or it has ended already.' }),
    );
  }
  if (!isMeant) {
    const more = html`<form method="post" action="${pagePath(page.spec)}/unsubscribe?token=${token}"><button>End the subscription</button></form>`;
    return sendSmall(
      visit,
      notePage(page, 200, { title: 'End the subscription', text: `${subscriber.address} gets what is announced here.`, more }),
    );
  }
  await deps.subscriptions.end(subscriber.id);
  return sendSmall(
    visit,
    notePage(page, 200, { title: 'The subscription has ended', text: `Nothing more is sent to ${subscriber.address}.` }),
  );
}
