import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor, Http } from '../platform/http/contract.ts';
import type { NewSession, Place, SessionCookie } from '../sessions/contract.ts';
import {
  assertionAnswer,
  codeBody,
  creationOptions,
  factorAdded,
  factorAnswer,
  factorsView,
  proofBody,
  registerBody,
  renameBody,
  requestOptions,
  totpStarted,
} from './contract.ts';
import { personOf } from './people.ts';
import { relyingParty } from './relying-party.ts';
import type { Factors } from './service.ts';
import type { SignIn } from './sign-in.ts';
import type { StepUp } from './step-up.ts';

export type FactorRoutes = {
  readonly factors: Factors;
  readonly signIn: SignIn;
  readonly stepUp: StepUp;
  /** Refuses whoever may do less than the person whose factors they would take away. */
  readonly mayTouch: (by: Actor, userId: string) => Promise<void>;
  readonly cookie: SessionCookie;
  readonly baseUrl: string | undefined;
  /** Requests arrive over TLS. */
  readonly secure: boolean;
};

const tags = ['access'];
/** Of whoever is signed in, whatever their role may do: it is about themselves. */
const own = { permission: 'read', withoutFactor: true, scoped: { free: 'about oneself' } } as const;
/** Somebody else's open browser must not be enough to come back tomorrow. */
const ownProved = { ...own, stepUp: true } as const;
const open = { permission: 'public' } as const;
const challenge = z.string().min(1).max(200);
const byId = z.object({ id: z.string().max(100) });
const added = { 201: factorAdded };

/** Signing in with factors, proving oneself anew, and one's own factors. */
export function factorRoutes(http: Http, deps: FactorRoutes): void {
  signInRoutes(http, deps);
  proofRoutes(http, deps);
  totpRoutes(http, deps);
  passkeyRoutes(http, deps);
  resetRoute(http, deps);
}

const partyFor =
  ({ baseUrl, secure }: Pick<FactorRoutes, 'baseUrl' | 'secure'>) =>
  (request: unknown): ReturnType<typeof relyingParty> =>
    relyingParty(baseUrl, { port: (request as FastifyRequest).socket.localPort, secure });

const placeBy =
  (cookie: SessionCookie) =>
  (request: unknown): Place =>
    cookie.placeOf(request as FastifyRequest);

function signInRoutes(http: Http, { signIn, cookie, ...at }: FactorRoutes): void {
  const partyOf = partyFor(at);
  const placeOf = placeBy(cookie);
  const signedIn = (reply: unknown, session: NewSession): void => cookie.set(reply as FastifyReply, session.cookie);
  http.post(
    '/api/session/passkey/options',
    { config: open, schema: { summary: 'What a browser needs to sign in with a passkey', tags, response: { 200: requestOptions } } },
    async (request) => signIn.optionsAlone(partyOf(request), placeOf(request)),
  );
  http.post(
    '/api/session/passkey',
    { config: open, schema: { summary: 'Sign in with a passkey alone', tags, body: z.strictObject({ answer: assertionAnswer }) } },
    async (request, reply) => {
      signedIn(reply, await signIn.alone(request.body.answer, partyOf(request), placeOf(request)));
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/session/factor/options',
    {
      config: open,
      schema: {
        summary: 'What a browser needs to complete a sign-in with a passkey',
        tags,
        body: z.strictObject({ challenge }),
        response: { 200: requestOptions },
      },
    },
    async (request) => signIn.optionsOfPending(request.body.challenge, partyOf(request), placeOf(request)),
  );
  http.post(
    '/api/session/factor',
    {
      config: open,
      schema: {
        summary: 'Complete a sign-in with a second factor',
        tags,
        body: z.strictObject({ challenge, factor: factorAnswer }),
        response: { 200: z.object({ recovery_codes_left: z.int().nullable() }) },
      },
    },
    async (request, reply) => {
      const place = placeOf(request);
      const { recoveryCodesLeft, ...session } = await signIn.finish(request.body, partyOf(request), place);
      signedIn(reply, session);
      return { recovery_codes_left: recoveryCodesLeft ?? null };
    },
  );
}

function proofRoutes(http: Http, { stepUp, cookie, ...at }: FactorRoutes): void {
  const partyOf = partyFor(at);
  const placeOf = placeBy(cookie);
  http.post(
    '/api/session/proof/options',
    {
      config: own,
      schema: { summary: 'What a browser needs to prove with a passkey who you are', tags, response: { 200: requestOptions } },
    },
    async (request) => stepUp.options(personOf(request.actor), partyOf(request), placeOf(request)),
  );
  http.post(
    '/api/session/proof',
    { config: own, schema: { summary: 'Prove anew who you are; the session goes on under a new cookie', tags, body: proofBody } },
    async (request, reply) => {
      const session = { person: personOf(request.actor), cookie: cookie.read(request as FastifyRequest) ?? '' };
      cookie.set(reply as never, (await stepUp.prove(session, request.body, partyOf(request), placeOf(request))).cookie);
      return reply.code(204).send();
    },
  );
}

function totpRoutes(http: Http, { factors, ...at }: FactorRoutes): void {
  const partyOf = partyFor(at);
  http.get(
    '/api/factors',
    { config: own, schema: { summary: 'Your second factors', tags, response: { 200: factorsView } } },
    async (request) => factors.view(personOf(request.actor), { party: partyOf(request) }),
  );
  http.post(
    '/api/factors/totp',
    {
      config: ownProved,
      schema: { summary: 'Begin to set up an authenticator app; its secret is shown once', tags, response: { 201: totpStarted } },
    },
    async (request, reply) => reply.code(201).send(await factors.startTotp(personOf(request.actor))),
  );
  http.post(
    '/api/factors/totp/confirm',
    {
      config: ownProved,
      schema: { summary: 'Put the authenticator app in force with its first code', tags, body: codeBody, response: added },
    },
    async (request, reply) => {
      const codes = await factors.confirmTotp(personOf(request.actor), request.body.code, request.ip);
      return reply.code(201).send({ recovery_codes: [...codes] });
    },
  );
  http.delete(
    '/api/factors/totp',
    { config: ownProved, schema: { summary: 'Remove the authenticator app', tags } },
    async (request, reply) => {
      await factors.removeTotp(personOf(request.actor), request.ip);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/factors/recovery-codes',
    { config: ownProved, schema: { summary: 'Make new recovery codes; those of before end', tags, response: added } },
    async (request, reply) => {
      const codes = await factors.makeRecoveryCodes(personOf(request.actor), request.ip);
      return reply.code(201).send({ recovery_codes: [...codes] });
    },
  );
}

function passkeyRoutes(http: Http, { factors, ...at }: FactorRoutes): void {
  const partyOf = partyFor(at);
  const registering = (request: unknown) => {
    const { ip: address } = request as FastifyRequest;
    return { purpose: 'register', boundTo: '', party: partyOf(request), address } as const;
  };
  http.post(
    '/api/factors/passkeys/options',
    { config: ownProved, schema: { summary: 'What a browser needs to make a passkey', tags, response: { 200: creationOptions } } },
    async (request) => factors.creationOptions(personOf(request.actor), registering(request)),
  );
  http.post(
    '/api/factors/passkeys',
    { config: ownProved, schema: { summary: 'Keep a passkey that a browser made', tags, body: registerBody, response: added } },
    async (request, reply) => {
      const codes = await factors.register(personOf(request.actor), request.body, registering(request));
      return reply.code(201).send({ recovery_codes: [...codes] });
    },
  );
  http.patch(
    '/api/factors/passkeys/:id',
    { config: { ...own, audit: 'change' }, schema: { summary: 'Rename a passkey', tags, params: byId, body: renameBody } },
    async (request, reply) => {
      await factors.renamePasskey(personOf(request.actor), request.params.id, request.body.name);
      return reply.code(204).send();
    },
  );
  http.delete(
    '/api/factors/passkeys/:id',
    { config: ownProved, schema: { summary: 'Remove a passkey', tags, params: byId } },
    async (request, reply) => {
      await factors.removePasskey(personOf(request.actor), request.params.id, request.ip);
      return reply.code(204).send();
    },
  );
}

function resetRoute(http: Http, { factors, mayTouch }: FactorRoutes): void {
  http.post(
    '/api/people/:id/reset-factors',
    {
      config: { permission: 'administer', stepUp: true },
      schema: { summary: "Take away a person's second factors, which they have lost; their sessions end", tags, params: byId },
    },
    async (request, reply) => {
      await mayTouch(request.actor, request.params.id);
      await factors.reset(request.actor, request.params.id, request.ip);
      return reply.code(204).send();
    },
  );
}
