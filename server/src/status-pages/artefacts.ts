import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import type { Html } from '../platform/html.ts';
import { type StatusPageSpec, announcementToWire } from './contract.ts';
import { badgeSvg, iconSvg, serviceBadge } from './badge.ts';
import { STATE_WORDS, type ServiceSight, type Sight } from './evaluate.ts';
import { type FeedOf, atomOf, calendarOf, rssOf } from './feeds.ts';
import { type PageFrame, pageHtml, serviceHtml } from './page.ts';

/** One text of a page, by its path below the page's own. */
export type Text = { readonly path: string; readonly type: string; readonly text: string };

/** What is written of one service, apart from the rest so that a long page can be written in many short steps. */
export type ServicePart = { readonly html: Html; readonly json: string; readonly badge: string };

export const partOf = (service: ServiceSight, spec: StatusPageSpec): ServicePart => ({
  html: serviceHtml(service, spec),
  json: JSON.stringify(serviceToWire(service)),
  badge: serviceBadge(service),
});

/** What is served of one page; `parts` has every service of the sight. */
export type Draft = {
  readonly frame: PageFrame;
  readonly url: string;
  readonly sight: Sight;
  readonly parts: ReadonlyMap<string, ServicePart>;
};

/** Everything that is served of a page, written ahead: the page itself (path `''`), feeds, calendar, JSON and badges. */
export function textsOf({ frame, url, sight, parts }: Draft): readonly Text[] {
  const of: FeedOf = { spec: frame.spec, url };
  return [
    { path: '', type: 'text/html; charset=utf-8', text: pageHtml(frame, sight, (id) => parts.get(id)?.html ?? null) },
    { path: 'feed.rss', type: 'application/rss+xml; charset=utf-8', text: rssOf(of, sight) },
    { path: 'feed.atom', type: 'application/atom+xml; charset=utf-8', text: atomOf(of, sight) },
    { path: 'calendar.ics', type: 'text/calendar; charset=utf-8', text: calendarOf(of, sight) },
    { path: 'status.json', type: 'application/json; charset=utf-8', text: jsonOf(of, sight, parts) },
    { path: 'badge.svg', type: 'image/svg+xml', text: badgeSvg(frame.spec.title, sight.state, STATE_WORDS[sight.state].toLowerCase()) },
    { path: 'icon.svg', type: 'image/svg+xml', text: iconSvg(sight.state) },
    ...[...parts].map(([id, { badge }]) => ({ path: `badge/${id}.svg`, type: 'image/svg+xml', text: badge })),
  ];
}

const serviceToWire = (service: ServiceSight) => ({
  id: service.id,
  name: service.name,
  state: service.state,
  since_at_ms: service.sinceMs,
  uptime: service.history.uptime,
  recent: service.history.recent.map(({ windowMs, uptime }) => ({ window_ms: windowMs, uptime })),
  days: service.history.days.map(({ name: day, buckets, mark, maintenanceMs }) => ({
    day,
    state: mark,
    up_ms: buckets.upMs,
    degraded_ms: buckets.degradedMs,
    down_ms: buckets.downMs,
    unknown_ms: buckets.unknownMs,
    excluded_ms: buckets.excludedMs,
    maintenance_ms: maintenanceMs,
  })),
});

/** The page for programs. Instants are Unix milliseconds, shares are from 0 to 1, lengths milliseconds. */
function jsonOf({ spec, url }: FeedOf, sight: Sight, parts: Draft['parts']): string {
  const groups = sight.groups.map(
    ({ name, services }) =>
      `{"name":${JSON.stringify(name)},"services":[${services.map(({ id }) => parts.get(id)?.json ?? 'null').join(',')}]}`,
  );
  const rest = {
    page: { id: spec.id, title: spec.title, url },
    at_ms: sight.atMs,
    state: sight.state,
    zone: spec.zone,
    // Who wrote an update is nobody's business outside.
    announcements: [...sight.open, ...sight.past].map((one) => {
      const { id, title, state, services, began_at_ms, resolved_at_ms, updates } = announcementToWire(one);
      const said = updates.map(({ by: _by, recorded_at_ms: _at, ...others }) => others);
      return { id, title, state, services, began_at_ms, resolved_at_ms, updates: said };
    }),
    maintenance: sight.maintenance.map((one) => ({
      id: one.window,
      name: one.name,
      services: one.services,
      from_at_ms: one.fromMs,
      to_at_ms: one.toMs,
    })),
  };
  return `${JSON.stringify(rest).slice(0, -1)},"groups":[${groups.join(',')}]}\n`;
}

/** A text ready to be sent. */
export type Artefact = { readonly type: string; readonly body: Buffer; readonly gzipped: Buffer; readonly etag: string };

const gzip = promisify(gzipCallback);

/** Compressed off the event loop. */
export async function artefactOf({ type, text }: Pick<Text, 'type' | 'text'>): Promise<Artefact> {
  const body = Buffer.from(text);
  return { type, body, gzipped: await gzip(body), etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
