/** Pages in German and French: none of their own texts and none of the server's sentences is left in English, and they fit a phone. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type BusyWorld, startBusyWorld } from '../harness/busy-world.ts';
import { HOUSE } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { launch, openPage } from './browser.ts';

let browser: Browser;
let world: BusyWorld;
before(async () => {
  browser = await launch();
  world = await startBusyWorld();
});
after(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

const pathsOf = ({ ids }: BusyWorld): readonly string[] => [
  '/',
  '/services/shop',
  '/checks',
  '/slas/shop-availability',
  `/alerts-dashboard?open=${ids.alert}`,
  `/incidents/${ids.incident}`,
  '/rules',
  '/routes',
  '/on-call',
  '/health',
  '/analytics?view=capacity',
  '/analytics?view=series&q=shop_queue_length',
];

/** What people named reads the same in every language: services, rules and titles of the world, shipped roles. */
const NAMED = /^(?:Web shop|Database|Mail|Shop|Shop is down|New disk|Database move|Ladder|Alerts|We look at the queue\.|The queue of .*)$/;

/** Words of English that neither German nor French has. */
const ENGLISH =
  /\b(?:the|and|of|with|is|are|has|have|from|which|that|this|its|every|each|nobody|until|within|because|while|than|been|cannot|would|does|to|by|no)\b/gi;
/** One may be part of a name; two are a sentence. */
const isEnglish = (text: string): boolean => (text.match(ENGLISH)?.length ?? 0) >= 2;

/** English texts without values that read otherwise in the language. */
function englishOf(language: string): ReadonlySet<string> {
  const folder = join(HOUSE, 'web/src/language', language);
  const texts = readdirSync(folder).flatMap((name) =>
    Object.entries(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Readonly<Record<string, string>>),
  );
  const own = new Set(texts.map(([, text]) => text));
  const plain = texts.map(([key]) => key.split('||', 1)[0] ?? key);
  return new Set(plain.filter((key) => !key.includes('{') && !own.has(key) && !NAMED.test(key)));
}

/** Every text of the page and of the navigation that can be seen; code, queries, what is being written and names in their type are left out. */
const visibleTexts = (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.page *, nav *, .page-foot *')]
    .filter((element) => element.checkVisibility() && element.closest('.mono, pre, code, textarea') === null)
    .flatMap((element) => [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data.trim()))
    .filter((text) => text !== '')`);

for (const language of ['de', 'fr'] as const) {
  test(`pages in ${language} have no English left, and fit on a phone`, async () => {
    const { page, complaints } = await openPage(browser, world.nines.base, { width: 390 });
    const context = page.context();
    const at = world.cookie.indexOf('=');
    await context.addCookies([{ name: world.cookie.slice(0, at), value: world.cookie.slice(at + 1), url: world.nines.base }]);
    await context.addInitScript(`localStorage.setItem('nines-language', '${language}')`);
    const english = englishOf(language);
    const left: string[] = [];
    const wide: string[] = [];
    for (const path of pathsOf(world)) {
      await page.goto(path);
      await page.locator('.page').waitFor();
      await poll('the page to be read', async () => (await page.locator('.page .loading').count()) === 0);
      assert.equal(await page.evaluate('document.documentElement.lang'), language);
      const texts = (await visibleTexts(page)).filter((text) => !NAMED.test(text));
      left.push(...texts.filter((text) => english.has(text) || isEnglish(text)).map((text) => `${path}: ${text}`));
      const over = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (over > 0) wide.push(`${path}: ${over} pixels`);
    }
    assert.deepEqual([...new Set(left)], [], 'left in English');
    assert.deepEqual(wide, [], 'wider than the phone');
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
