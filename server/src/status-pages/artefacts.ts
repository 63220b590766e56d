import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { announcementToWire } from './contract.ts';
import { badgeSvg, iconSvg, serviceBadge } from './badge.ts';
import { STATE_WORDS, type Sight } from './evaluate.ts';
import { type FeedOf, atomOf, calendarOf, rssOf } from './feeds.ts';
import { type PageFrame, pageHtml } from './page.ts';

/** One text of a page, by its path below the page's own. */
export type Text = { readonly path: string; readonly type: string; readonly text: string };

/** Everything that is served of a page, written ahead: the page itself (path `''`), feeds, calendar, JSON and badges. */
export function textsOf(frame: PageFrame, url: string, sight: Sight): readonly Text[] {
  const of: FeedOf = { spec: frame.spec, url };
  const services = sight.groups.flatMap((group) => group.services);
  return [
    { path: '', type: 'text/html; charset=utf-8', text: pageHtml(frame, sight) },
    { path: 'feed.rss', type: 'application/rss+xml; charset=utf-8', text: rssOf(of, sight) },
    { path: 'feed.atom', type: 'application/atom+xml; charset=utf-8', text: atomOf(of, sight) },
    { path: 'calendar.ics', type: 'text/calendar; charset=utf-8', text: calendarOf(of, sight) },
    { path: 'status.json', type: 'application/json; charset=utf-8', text: jsonOf(of, sight) },
    { path: 'badge.svg', type: 'image/svg+xml', text: badgeSvg(frame.spec.title, sight.state, STATE_WORDS[sight.state].toLowerCase()) },
    { path: 'icon.svg', type: 'image/svg+xml', text: iconSvg(sight.state) },
    ...services.map((service) => ({ path: `badge/${service.id}.svg`, type: 'image/svg+xml', text: serviceBadge(service) })),
  ];
}

/** The page for programs. Instants are Unix milliseconds, shares are from 0 to 1, lengths milliseconds. */
function jsonOf({ spec, url }: FeedOf, sight: Sight): string {
  const wire = {
    page: { id: spec.id, title: spec.title, url },
    at_ms: sight.atMs,
    state: sight.state,
    zone: spec.zone,
    groups: sight.groups.map(({ name, services }) => ({
      name,
      services: services.map((service) => ({
        id: service.id,
        name: service.name,
        state: service.state,
        since_at_ms: service.sinceMs,
        uptime: service.history.uptime,
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
      })),
    })),
    // Who wrote an update is nobody's business outside.
    announcements: [...sight.open, ...sight.past].map((one) => {
      const { id, title, state, services, began_at_ms, resolved_at_ms, updates } = announcementToWire(one);
      return {
        id,
        title,
        state,
        services,
        began_at_ms,
        resolved_at_ms,
        updates: updates.map(({ by: _by, recorded_at_ms: _at, ...rest }) => rest),
      };
    }),
    maintenance: sight.maintenance.map((one) => ({
      id: one.window,
      name: one.name,
      services: one.services,
      from_at_ms: one.fromMs,
      to_at_ms: one.toMs,
    })),
  };
  return `${JSON.stringify(wire)}\n`;
}

/** A text ready to be sent. */
export type Artefact = { readonly type: string; readonly body: Buffer; readonly gzipped: Buffer; readonly etag: string };

const gzip = promisify(gzipCallback);

/** Compressed off the event loop. */
export async function artefactOf({ type, text }: Pick<Text, 'type' | 'text'>): Promise<Artefact> {
  const body = Buffer.from(text);
  return { type, body, gzipped: await gzip(body), etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
