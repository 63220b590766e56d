import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusPageSchema } from './contract.ts';
import type { ServiceSight, Sight } from './evaluate.ts';
import { pageHtml, serviceHtml, withStaleNotice } from './page.ts';
import { wordsIn } from './words.ts';

const NOW = Date.UTC(2026, 10, 22, 9);
const buckets = { upMs: 80_000_000, degradedMs: 0, downMs: 6_400_000, unknownMs: 0, excludedMs: 0, outOfHoursMs: 0 };
const history = {
  windowMs: 86_400_000,
  days: [{ name: '2026-11-21', buckets, mark: 'down', unknownShare: 0, maintenanceMs: 0 }],
  recent: [{ windowMs: 86_400_000, uptime: 0.9991, bounds: [0.9991, 0.9991] }],
  uptime: 0.9991,
  bounds: [0.9991, 0.9991],
} as unknown as ServiceSight['history'];
const shop: ServiceSight = {
  id: 'shop',
  name: 'Shop',
  description: '',
  state: 'down',
  seen: 'down',
  sinceMs: NOW - 60_000,
  history,
  announcements: [],
};
const work = { window: 'w', name: 'Racks', services: ['shop'], fromMs: NOW + 1, toMs: NOW + 2, plannedFromMs: NOW + 1, announcedAtMs: NOW };
const sight: Sight = {
  atMs: NOW,
  state: 'down',
  groups: [{ name: '', services: [shop] }],
  open: [],
  past: [],
  maintenance: [work] as unknown as Sight['maintenance'],
};

function written(language: 'en' | 'de' | 'fr'): string {
  const spec = statusPageSchema.parse({ id: 'p', title: 'P', services: ['shop'], language, subscriptions: { webhook: true } });
  const frame = { spec, style: '', path: '/status/p', hasLogo: false };
  return withStaleNotice(pageHtml(frame, sight, () => serviceHtml(shop, spec)));
}

test('a page speaks one language, from its first sentence to its last, and says which', () => {
  assert.match(written('en'), /<html lang="en">[^]*Shop is down[^]*99\.9<?/);
  assert.match(written('de'), /<html lang="de">[^]*Shop ist ausgefallen[^]*99,9/);
  assert.match(written('fr'), /<html lang="fr">[^]*Shop est en panne[^]*99,9/);
  const english = Object.values(wordsIn('en')).filter((word): word is string => typeof word === 'string' && word.length > 4);
  for (const language of ['de', 'fr'] as const) {
    const own = new Set<unknown>(Object.values(wordsIn(language)));
    const page = written(language);
    const left = english.filter((word) => !own.has(word) && page.includes(`>${word}<`));
    assert.deepEqual(left, [], `English on the page in ${language}`);
  }
});
