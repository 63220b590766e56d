import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Shop } from './shop.ts';

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const PATIENCE_MS = 60_000;
/** What stands where figures are still on their way. */
const READING = /^Reading /;
/** Charts and digits come to rest. */
const SETTLE_MS = 1_500;

type View = {
  readonly name: string;
  readonly path: string | ((shop: Shop) => string);
  readonly theme?: 'light' | 'dark';
  readonly phone?: true;
  readonly locale?: 'de-DE' | 'fr-FR';
  /** What is there when the view is. */
  readonly until: string;
  readonly prepare?: (page: Page) => Promise<void>;
};

const rates = encodeURIComponent('sum by (job) (rate(http_requests_total{code="503"}[5m])) / sum by (job) (rate(http_requests_total[5m]))');

export const VIEWS: readonly View[] = [
  { name: 'overview', path: '/', until: 'Web shop' },
  { name: 'overview-dark', path: '/', theme: 'dark', until: 'Web shop' },
  { name: 'overview-phone', path: '/', phone: true, until: 'Web shop' },
  { name: 'executive', path: '/dashboards/executive', until: 'Payments' },
  { name: 'operations', path: '/dashboards/operations', theme: 'dark', until: 'mails-25' },
  { name: 'dashboard', path: '/dashboards/shop', until: 'Answers that failed' },
  {
    name: 'dashboard-editor',
    path: '/dashboards/shop?edit=1',
    theme: 'dark',
    until: 'Answers that failed',
    prepare: async (page) => {
      const { x, y } = (await page.locator('.drag').nth(3).boundingBox()) ?? { x: 0, y: 0 };
      await page.mouse.move(x + 8, y + 8);
      await page.mouse.down();
      await page.mouse.move(x + 500, y - 40, { steps: 8 });
    },
  },
  { name: 'explore', path: `/explore?q=${rates}&range=24h`, until: 'checkout' },
  {
    name: 'alerts',
    path: '/alerts-dashboard',
    until: 'mails-25',
    prepare: async (page) => {
      await page.getByRole('checkbox').first().check();
      await page.keyboard.press('?');
    },
  },
  { name: 'alerts-phone', path: '/alerts-dashboard', phone: true, theme: 'dark', until: 'mails-25' },
  { name: 'service', path: '/services/payments?range=30d', until: 'Downtimes' },
  { name: 'services-map', path: '/services?view=map', until: 'Orders database' },
  { name: 'sla', path: '/slas/payments-availability', until: 'Budget over the window' },
  { name: 'statement', path: ({ statement }) => `/statements/${statement}`, until: 'Signature' },
  { name: 'incident', path: ({ incident }) => `/incidents/${incident}`, until: 'replicas' },
  { name: 'status-page-german', path: '/status/kunden', locale: 'de-DE', until: 'Unsere Dienste' },
  { name: 'status-page-phone', path: '/status/public', phone: true, until: 'Shop status' },
  { name: 'analytics', path: '/analytics', until: 'Insights' },
  { name: 'cardinality', path: '/settings/series', until: 'http_request_duration_seconds_bucket' },
  { name: 'audit', path: '/settings/audit', until: 'whole' },
  {
    name: 'palette',
    path: '/',
    theme: 'dark',
    until: 'Web shop',
    prepare: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.type('check');
    },
  },
  { name: 'on-call', path: '/on-call', until: 'Anne Berg' },
  { name: 'overview-french', path: '/', locale: 'fr-FR', until: 'Web shop' },
];

export async function photograph(
  { browser, shop, folder }: { readonly browser: Browser; readonly shop: Shop; readonly folder: string },
  view: View,
): Promise<void> {
  const context = await browser.newContext({
    baseURL: shop.nines.base,
    colorScheme: view.theme ?? 'light',
    viewport: view.phone === true ? PHONE : WIDE,
    deviceScaleFactor: view.phone === true ? 2 : 1,
    locale: view.locale ?? 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    const page = await context.newPage();
    await page.goto(typeof view.path === 'string' ? view.path : view.path(shop), { waitUntil: 'load' });
    await page.getByText(view.until).filter({ visible: true }).first().waitFor();
    await page.getByText(READING).filter({ visible: true }).first().waitFor({ state: 'detached' });
    await view.prepare?.(page);
    await page.waitForTimeout(SETTLE_MS);
    await page.screenshot({ path: join(folder, `${view.name}.png`) });
  } finally {
    await context.close();
  }
}
