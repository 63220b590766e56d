import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { after, test, type TestContext } from 'node:test';
import type { CheckResult } from '@nines/server/checks/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import {
  type AnyCheck,
  attempt,
  Authority,
  closedPort,
  faultsOf,
  figuresOf,
  listen,
  said,
  silent,
} from '../../../../../test/harness/checks.ts';
import { Browsers } from './browsers.ts';

type Written = Extract<AnyCheck, { kind: 'browser' }>;
type Steps = NonNullable<Written['steps']>;

/** A real Chromium, shared by all journeys of this file as by those of a server. */
const browsers = new Browsers({ concurrency: 2, sandbox: false, executable: process.env['CHROMIUM'] ?? '/usr/bin/chromium' }, realClock);
after(() => browsers[Symbol.asyncDispose]());

const PACE = { interval: '10m', timeout: '60s', step_timeout: '30s' } as const;
const ask = (steps: Steps, more: Partial<Written> = {}, trust: 'trusted' | 'untrusted' = 'trusted'): Promise<CheckResult> =>
  attempt({ kind: 'browser', ...PACE, ...more, steps }, trust, { browsers });

const page = (title: string, body: string): string => `<!doctype html><title>${title}</title><body>${body}</body>`;
const LOGIN = page(
  'Sign in',
  `<form action="/account"><input id="user" name="user"><input id="word" name="word"><button>Go</button></form>
   <script>document.querySelector('form').addEventListener('submit', (e) => { if (document.querySelector('#word').value !== 'open sesame') { e.preventDefault(); document.body.append('Wrong word ' + document.querySelector('#word').value); } })</script>`,
);

/** A shop whose account page needs a script to show its greeting. */
const shop: RequestListener = (request, answer) => {
  const path = new URL(request.url ?? '/', 'http://x').pathname;
  answer.setHeader('content-type', 'text/html');
  if (path === '/broken') answer.statusCode = 503;
  if (path === '/away') answer.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' });
  if (path === '/account')
    answer.end(page('Account', '<p id="hello"></p><script>setTimeout(() => { hello.textContent = "Welcome back" }, 50)</script>'));
  else answer.end(LOGIN);
};
const open = async (t: TestContext, listener = shop): Promise<string> => `http://127.0.0.1:${await listen(t, createServer(listener))}`;
const signIn = (base: string, word = 'open sesame'): Steps => [
  { open: `${base}/` },
  { fill: { selector: '#user', value: 'probe' } },
  { fill: { selector: '#word', value: word } },
  { name: 'sign in', click: 'text=Go' },
  { expect_url: '/account\\?user=probe' },
  { expect_text: { contains: 'Welcome back', selector: '#hello' } },
  { expect_title: '^Account$' },
];

test('a journey through real pages is up, and each step has its length', async (t) => {
  const base = await open(t);
  const result = await ask([...signIn(base), { press: { key: 'Tab' } }, { wait_for: { selector: '#hello' } }, { expect_selector: 'p' }]);
  assert.equal(said(result), 'up');
  assert.equal(result.target, `${base}/`);
  assert.deepEqual(
    result.steps?.map(({ name }) => name),
    [
      `open ${base}/`,
      'fill #user',
      'fill #word',
      'sign in',
      'expect url /account\\?user=probe',
      'expect text "Welcome back"',
      'expect title ^Account$',
      'press Tab',
      'wait for #hello',
      'expect p',
    ],
  );
  assert.ok((figuresOf(result)['probe_browser_step_duration_seconds{step=4 sign in}'] ?? 0) > 0);
  assert.match(said(await ask([{ open: base }], { degraded_after: '1ms' })), /^degraded slow: /);
});

test('a step that fails is told with its place, what was seen, and a picture; secrets are in none of it', async (t) => {
  const base = await open(t);
  const result = await ask(signIn(base, 'abracadabra'), { step_timeout: '2s' });
  assert.match(said(result), /^down expectation: step 5 \(expect url .*\): the address is "http:\/\/127\.0\.0\.1:\d+\/"$/);
  assert.match(result.excerpt ?? '', /Wrong word \[redacted\]/);
  assert.equal(result.screenshot?.subarray(0, 2).toString('hex'), 'ffd8', 'a JPEG');
  assert.equal(JSON.stringify({ ...result, screenshot: 0 }).includes('abracadabra'), false);
  assert.equal(result.steps?.length, 5);

  const saidOf = async (...steps: Steps): Promise<string> => said(await ask([{ open: base }, ...steps], { step_timeout: '1s' }));
  assert.equal(await saidOf({ click: '#none' }), 'down timeout: step 2 (click #none): not done within 1s');
  assert.equal(
    await saidOf({ expect_text: { contains: 'Sold out' } }),
    'down expectation: step 2 (expect text "Sold out"): not seen within 1s',
  );
  assert.equal(await saidOf({ expect_title: 'Shop' }), 'down expectation: step 2 (expect title Shop): the title is "Sign in"');
  assert.match(await saidOf({ click: 'input' }), /^down step: step 2 \(click input\): .*strict mode violation/);
});

test('a site that is down, slow or not to be trusted says so as for any other kind', async (t) => {
  const saidOf = async (url: string, more: Partial<Written> = {}): Promise<string> => said(await ask([{ open: url }], more));
  assert.match(await saidOf(`${await open(t)}/broken`), /^down status: step 1 \(open .*\): status 503, expected less than 400$/);
  assert.match(await saidOf(`http://127.0.0.1:${await closedPort()}/`), /^down connection_refused: step 1 .*connection refused by 127/);
  assert.match(
    await saidOf(`http://127.0.0.1:${await silent(t)}/`, { step_timeout: '1s' }),
    /^down timeout: step 1 .*: not done within 1s$/,
  );
  // A machine without a name server cannot know that nobody has this name.
  assert.match(await saidOf('http://nowhere.invalid/'), /^down name_(not_found|server): step 1 /);
  using authority = new Authority();
  const secure = await listen(t, createSecureServer(authority.issue(), shop));
  assert.match(
    await saidOf(`https://localhost:${secure}/`),
    /^down certificate: step 1 .*: the certificate of localhost is not valid: authority invalid$/,
  );
  assert.equal(await saidOf(`https://localhost:${secure}/`, { tls: { verify: false } }), 'up');
});

test('the browser reaches nothing that the outbound guard refuses, not by a redirect nor by a script either', async (t) => {
  let asked = 0;
  const inner = await open(t, (_request, answer) => {
    asked++;
    answer.end('inner');
  });
  assert.match(said(await ask([{ open: `${inner}/` }], {}, 'untrusted')), /^void refused_address: .*127\.0\.0\.1 is internal/);
  assert.match(said(await ask([{ open: `${inner.replace('127.0.0.1', 'localhost')}/` }], {}, 'untrusted')), /^void refused_address/);
  assert.equal(asked, 0);
  const base = await open(t);
  assert.match(said(await ask([{ open: `${base}/away` }])), /^void refused_address: .*169\.254\.169\.254 is a cloud metadata address/);
  const links = await open(
    t,
    (_request, answer) => void answer.setHeader('content-type', 'text/html').end('<a href="http://169.254.169.254/">Go</a>'),
  );
  const clicked = await ask([{ open: links }, { click: 'text=Go' }, { expect_text: { contains: 'token' } }], { step_timeout: '2s' });
  assert.match(said(clicked), /^void refused_address: step 3 /);
  const scripts = await open(t, (_request, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end(
      page(
        'x',
        `<script>fetch('http://169.254.169.254/').then(() => 'let in', () => 'kept out').then((said) => document.body.append(said));
      new WebSocket('ws://169.254.169.254/').onerror = () => document.body.append(', socket too');</script>`,
      ),
    );
  });
  assert.equal(
    said(await ask([{ open: scripts }, { expect_text: { contains: 'kept out' } }, { expect_text: { contains: 'socket too' } }])),
    'up',
  );
});

test('journeys share nothing but the process, and wait for their turn', async (t) => {
  const cookies: (string | undefined)[] = [];
  const base = await open(t, (request, answer) => {
    if (request.url === '/') cookies.push(request.headers.cookie);
    answer.setHeader('set-cookie', 'seen=1');
    answer.end('hello');
  });
  const all = await Promise.all(Array.from({ length: 5 }, () => ask([{ open: `${base}/` }])));
  assert.deepEqual(all.map(said), ['up', 'up', 'up', 'up', 'up']);
  assert.deepEqual(cookies, [undefined, undefined, undefined, undefined, undefined]);
});

test('without a browser nothing is known, and why is said', async () => {
  await using none = new Browsers({ concurrency: 1, sandbox: true, executable: '/nowhere/chromium' }, realClock);
  const result = await attempt({ kind: 'browser', ...PACE, steps: [{ open: 'http://127.0.0.1/' }] }, 'trusted', { browsers: none });
  assert.equal(
    said(result),
    'void no_browser: there is no Chromium at /nowhere/chromium; install it, or say where it is in checks.browser.executable',
  );
  await using broken = new Browsers({ concurrency: 1, sandbox: true, executable: '/bin/false' }, realClock);
  assert.match(
    said(await attempt({ kind: 'browser', ...PACE, steps: [{ open: 'http://127.0.0.1/' }] }, 'trusted', { browsers: broken })),
    /^void no_browser: Chromium did not start: /,
  );
});

test('what is written is checked when it is read', () => {
  const faults = (...steps: unknown[]): string => faultsOf({ kind: 'browser', steps });
  assert.equal(faults({ open: 'https://shop.example/' }, { click: 'text=Buy' }), 'fits');
  assert.match(faults({ click: 'a' }), /^steps\.0: a journey begins with an address: open/);
  assert.match(
    faults({ open: 'https://shop.example/' }, { click: 'a', press: { key: 'Enter' } }),
    /^steps\.1: a step does one thing .*; this has click and press/,
  );
  assert.match(faults({ open: 'https://shop.example/' }, { name: 'nothing' }), /^steps\.1: a step does one thing .*; this has none/);
  assert.match(faults({ open: 'file:///etc/passwd' }), /^steps\.0\.open: not a http or https address/);
  assert.match(faults({ open: 'https://a/' }, { expect_url: '(' }), /^steps\.1\.expect_url: /);
  assert.match(faultsOf({ kind: 'browser', interval: '5s', steps: [{ open: 'https://a/' }] }), /^interval: /);
});
