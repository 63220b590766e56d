import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { launch, openPage, seriousFaults } from './browser.ts';

const CONFIG = `
oncall:
  people:
    - { id: anne, name: '<b>Anne</b> Berg', zone: Europe/Berlin }
    - { id: ben, name: Ben Okoro, zone: Africa/Lagos }
    - { id: cleo, name: Cleo Park, zone: America/New_York }
  schedules:
    - id: platform
      name: Platform
      zone: Europe/Berlin
      layers:
        - { name: primary, rotation: weekly, start: '2026-01-05 09:00', members: [anne, ben] }
    - id: office
      name: Office
      gap_alarm: 'off'
      layers:
        - { name: hours, rotation: daily, start: '2026-01-05', members: [cleo], hours: { weekly: { mon: ['09:00-17:00'] } } }
`;

let browser: Browser;
let nines: Nines;

before(async () => {
  browser = await launch();
  nines = await startNines({ config: CONFIG });
});
after(async () => {
  await browser.close();
  await nines.stop();
});

const shifts = (page: Page, name: string) => page.getByRole('table', { name: `Shifts of ${name}` });

test('a shift is taken by keyboard, a second override of its time is refused with what stands in its way, and it is taken back', async () => {
  const { page, complaints } = await openPage(browser, nines.base);
  await page.goto('/alerts-dashboard');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await page.goto('/on-call?schedule=platform&day=2031-03-28');
  const bens = shifts(page, 'Platform')
    .getByRole('button', { name: /^Take over from Ben Okoro/ })
    .first();
  await bens.waitFor();
  const dialog = page.getByRole('dialog', { name: 'Override Platform' });
  await bens.focus();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Who takes over').selectOption('cleo');
  await dialog.getByLabel('Why').fill('dentist');
  await dialog.getByRole('button', { name: 'Make the override' }).focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page
    .getByRole('list', { name: 'Overrides' })
    .getByText(/dentist/)
    .waitFor();
  await page.getByRole('button', { name: 'Later' }).click();
  await page.waitForURL(/day=2031-03-31/);
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.waitForURL(/day=2031-03-24/);
  await shifts(page, 'Platform').getByText('Cleo Park').waitFor();
  await shifts(page, 'Platform')
    .getByRole('button', { name: /^Take over from/ })
    .first()
    .click();
  await dialog.getByLabel('From').fill('2031-03-01T09:00');
  await dialog.getByLabel('To').fill('2031-04-30T09:00');
  await dialog.getByRole('button', { name: 'Make the override' }).click();
  await dialog
    .getByRole('alert')
    .getByText(/there is an override for that time already: cleo/i)
    .waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Take back: Cleo Park' }).click();
  await page.getByRole('button', { name: 'Take back the override of Cleo Park' }).click();
  await page.getByRole('list', { name: 'Overrides' }).waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Make a link' }).click();
  const address = await page
    .getByRole('status')
    .getByText(/\/api\/oncall\/feeds\/.*\.ics/)
    .textContent();
  const feed = await nines.get(new URL(address ?? '').pathname);
  assert.match(feed.text, /^BEGIN:VCALENDAR\r\n/);
  await page.getByRole('button', { name: 'Revoke the link to platform' }).click();
  await page.getByRole('list', { name: 'Links to calendars' }).waitFor({ state: 'detached' });
  assert.equal((await nines.get(new URL(address ?? '').pathname)).status, 404);
  // The browser itself logs the refused request.
  assert.deepEqual(
    complaints.filter((text) => !/status of 409/.test(text)),
    [],
  );
  await page.context().close();
});

test('the page is whole in light and dark and on a phone, with gaps in words', async () => {
  for (const theme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      const { page, complaints } = await openPage(browser, nines.base, { theme, width });
      await page.goto('/on-call?schedule=office&view=month&day=2031-03-01');
      await page.getByText(/^Nobody is on call for .* in \d gaps/).waitFor();
      await shifts(page, 'Office').getByText('Cleo Park').first().waitFor();
      await page
        .getByRole('list', { name: 'On call now' })
        .getByText(/Platform/)
        .waitFor();
      assert.deepEqual(await seriousFaults(page), [], `${theme} ${width}`);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(overflow, 0, `nothing stands beside the page at ${width}`);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  }
});

test('the command line says who is on call at an instant and why, and fails where nobody is', async () => {
  const who = (...args: string[]) => promisify(execFile)('sh', [NINES, '--url', nines.base, 'oncall', 'who', ...args]);
  const { stdout } = await who('platform', '--at', '2031-03-25T12:00:00Z');
  assert.match(stdout, /^platform +<b>Anne<\/b> Berg|^platform +Ben Okoro/m);
  assert.match(stdout, /layer "primary": shift from 2031-03-24 09:00 to 2031-03-31 09:00 \(Europe\/Berlin\)/);
  await assert.rejects(who('office', '--at', '2031-03-25T12:00:00Z'), (thrown: { code: number; stdout: string }) => {
    assert.equal(thrown.code, 1);
    assert.match(thrown.stdout, /^office +nobody .*out of its hours/m);
    return true;
  });
  await assert.rejects(who('ghost'), (thrown: { code: number; stderr: string }) => /no schedule "ghost"/.test(thrown.stderr));
});
