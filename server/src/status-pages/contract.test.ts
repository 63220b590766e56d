import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../config.ts';
import { formatProblem } from '../platform/config/load.ts';
import { rewriteOf } from './hosts.ts';
import { Links } from './links.ts';
import { statusPageSchema } from './contract.ts';
import { isGrant, isKey, passOf, visitOf } from './visits.ts';

const BASE = `server: { base_url: 'https://nines.example.org' }
services:
  - { id: shop, name: Shop }
  - { id: api, name: API }
channels:
  - { id: hook, kind: webhook, url: 'http://127.0.0.1:1/' }
status_pages:
`;

/** Each page in YAML, and what must be said of it at its line. */
const REFUSED: readonly (readonly [what: string, page: string, said: RegExp])[] = [
  [
    'a service that is not declared',
    '{ id: p, title: P, services: [shop, shpo] }',
    /^9:\d+: .*"p" shows "shpo", which is no declared service/,
  ],
  ['a service of a group that is not declared', '{ id: p, title: P, groups: [{ name: G, services: [nope] }] }', /^9:\d+: .*shows "nope"/],
  ['a service twice', '{ id: p, title: P, services: [shop], groups: [{ name: G, services: [shop] }] }', /^9:\d+: .*shows "shop" twice/],
  ['no service at all', '{ id: p, title: P }', /shows no service/],
  ['a zone that is none', '{ id: p, title: P, services: [shop], zone: Mars/Base }', /^9:\d+: .*no time zone "Mars\/Base"/],
  ['a colour that is none', '{ id: p, title: P, services: [shop], colours: { accent: red } }', /^9:\d+: .*six hexadecimal digits/],
  ['a private page without a key', '{ id: p, title: P, services: [shop], private: {} }', /needs a `password` or a `token`/],
  ['a short token', '{ id: p, title: P, services: [shop], private: { token: abc } }', /at least 16 characters/],
  ['a channel that is no mail', '{ id: p, title: P, services: [shop], subscriptions: { email: hook } }', /no channel "hook" of kind email/],
  ['a domain with a scheme', "{ id: p, title: P, services: [shop], domain: 'https://status.example.org' }", /a host name alone/],
  ['a word that is a path', '{ id: sign-in, title: P, services: [shop] }', /a path of its own/],
  [
    'a logo that is not there',
    '{ id: p, title: P, services: [shop], logo: nowhere.png }',
    /^9:\d+: .*"p": the logo cannot be read: .*nowhere\.png/,
  ],
  ['a logo that is no image', '{ id: p, title: P, services: [shop], logo: fake.png }', /no image of type image\/png/],
  ['a logo of another kind', '{ id: p, title: P, services: [shop], logo: nines.yml }', /none of \.svg/],
  ['the own name of the server', '{ id: p, title: P, services: [shop], domain: nines.example.org }', /that of the server itself/],
  ['a title of two lines', '{ id: p, title: "a\\nb", services: [shop] }', /one line/],
  ['a setting that does not exist', '{ id: p, title: P, services: [shop], component: [] }', /component/],
  ['too few days', '{ id: p, title: P, services: [shop], days: 1 }', /days/],
];

test('what is wrong with a status page is said by name and place', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pages-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'fake.png'), 'not a picture');
  const file = join(dir, 'nines.yml');
  const problemsOf = (pages: readonly string[]): readonly string[] => {
    writeFileSync(file, `${BASE}${pages.map((page) => `  -\n    ${page}\n`).join('')}`);
    const read = readConfig({ file });
    return read.ok ? [] : read.problems.map((problem) => formatProblem(problem).slice(file.length + 1));
  };
  // The page stands in the line after its dash.
  for (const [what, page, said] of REFUSED) assert.match(problemsOf([page]).join('\n'), new RegExp(said.source, 'm'), what);
  const good = '{ id: p, title: P, services: [shop], domain: a.example.org }';
  assert.match(problemsOf([good, good.replace('id: p', 'id: q')]).join('\n'), /the domain "a\.example\.org" is that of "p" already/);
  assert.match(problemsOf([good, good]).join('\n'), /used twice/);
  assert.deepEqual(problemsOf([good]), []);
});

test('a host name of a page leads to it and to nothing else', () => {
  const spec = statusPageSchema.parse({ id: 'shop', title: 'S', services: ['shop'], domain: 'Status.Example.org' });
  const rewrite = rewriteOf({ ofDomain: (name) => (name === spec.domain ? { spec, place: undefined, logo: undefined } : undefined) });
  const at = (url: string, host = 'STATUS.example.org:8443'): string => rewrite(host, url);
  assert.equal(at('/'), '/status/shop');
  assert.equal(at('/?token=a'), '/status/shop?token=a');
  assert.equal(at('/feed.rss'), '/status/shop/feed.rss');
  assert.equal(at('/status/shop/logo'), '/status/shop/logo');
  assert.equal(at('/api/services'), '/status/shop/api/services');
  assert.equal(at('/status/other'), '/status/shop/status/other');
  assert.equal(at('/api/services', 'nines.example.org'), '/api/services');
});

test('a link holds for what it was made for, for its page, for its time, and as long as the key is the same', () => {
  const links = new Links('secret');
  const spec = statusPageSchema.parse({ id: 'shop', title: 'S', services: ['shop'], private: { password: 'correct horse' } });
  const other = statusPageSchema.parse({ id: 'other', title: 'S', services: ['shop'], private: { password: 'correct horse' } });
  const changed = statusPageSchema.parse({ id: 'shop', title: 'S', services: ['shop'], private: { password: 'battery staple' } });
  const text = visitOf(links, spec, 1_000);
  const holds = (page = spec, nowMs = 2_000, by = links, value = text) => isGrant(by, 'cookie', page, { text: value, nowMs });
  assert.equal(holds(), true);
  assert.equal(holds(other), false);
  assert.equal(holds(changed), false, 'another password closes what was open');
  assert.equal(holds(spec, 31 * 86_400_000 + 2_000), false);
  assert.equal(holds(spec, 2_000, new Links('another')), false);
  assert.equal(holds(spec, 2_000, links, passOf(links, spec, 1_000)), false, 'made for something else');
  for (const broken of ['', '.', `${text}x`, `x${text}`, text.replace('.', '..')])
    assert.equal(holds(spec, 2_000, links, broken), false, broken);
  assert.equal(isKey(spec, 'password', 'correct horse'), true);
  assert.equal(isKey(spec, 'token', 'correct horse'), false);
});
