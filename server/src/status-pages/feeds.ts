import type { Announcement, AnnouncementUpdate, StatusPageSpec } from './contract.ts';
import { ANNOUNCEMENT_WORDS, type PlannedWork, type Sight } from './evaluate.ts';
import { xml } from './xml.ts';

/** A page as its feeds name it: its address from outside, without a slash at the end. */
export type FeedOf = { readonly spec: StatusPageSpec; readonly url: string };

/** Updates in one feed; readers ask often enough not to miss more. */
const MAX_ENTRIES = 50;
type Entry = { readonly one: Announcement; readonly update: AnnouncementUpdate };

/** The updates of a page's announcements, newest first. */
const entriesOf = ({ open, past }: Sight): readonly Entry[] =>
  [...open, ...past]
    .flatMap((one) => one.updates.map((update) => ({ one, update })))
    .sort((a, b) => b.update.atMs - a.update.atMs)
    .slice(0, MAX_ENTRIES);

const titleOf = ({ one, update }: Entry): string => `${ANNOUNCEMENT_WORDS[update.state]}: ${one.title}`;
const linkOf = ({ url }: FeedOf, { one }: Entry): string => `${url}#announcement-${one.id}`;

/** RSS 2.0. */
export function rssOf(of: FeedOf, sight: Sight): string {
  const items = entriesOf(sight).map(
    (entry) =>
      `<item><title>${xml(titleOf(entry))}</title><link>${xml(linkOf(of, entry))}</link><guid isPermaLink="false">${xml(entry.update.id)}</guid><pubDate>${new Date(entry.update.atMs).toUTCString()}</pubDate><description>${xml(entry.update.text)}</description></item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>${xml(of.spec.title)}</title><link>${xml(of.url)}</link><atom:link href="${xml(`${of.url}/feed.rss`)}" rel="self" type="application/rss+xml"/><description>${xml(of.spec.description || `Announcements of ${of.spec.title}`)}</description>
${items.join('\n')}
</channel></rss>
`;
}

/** Atom 1.0, RFC 4287. */
export function atomOf(of: FeedOf, sight: Sight): string {
  const entries = entriesOf(sight);
  const updatedMs = entries[0]?.update.atMs ?? 0;
  const items = entries.map(
    (entry) =>
      `<entry><id>urn:uuid:${xml(entry.update.id)}</id><title>${xml(titleOf(entry))}</title><link href="${xml(linkOf(of, entry))}"/><updated>${iso(entry.update.atMs)}</updated><content type="text">${xml(entry.update.text)}</content></entry>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>${xml(of.url)}</id><title>${xml(of.spec.title)}</title><link href="${xml(of.url)}"/><link rel="self" href="${xml(`${of.url}/feed.atom`)}"/><author><name>${xml(of.spec.title)}</name></author><updated>${iso(updatedMs)}</updated>
${items.join('\n')}
</feed>
`;
}

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** The maintenance that goes on and is planned, as a calendar. Source: RFC 5545. */
export function calendarOf(of: FeedOf, { maintenance, groups }: Sight): string {
  const names = new Map(groups.flatMap(({ services }) => services.map(({ id, name }) => [id, name] as const)));
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Nines//Status page//EN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${escapeText(of.spec.title)}`,
    ...maintenance.flatMap((one) => eventOf(of, one, names)),
    'END:VCALENDAR',
  ];
  return `${lines.map(folded).join('\r\n')}\r\n`;
}

function eventOf({ spec, url }: FeedOf, one: PlannedWork, names: ReadonlyMap<string, string>): readonly string[] {
  const about = one.services.flatMap((id) => names.get(id) ?? []).join(', ');
  return [
    'BEGIN:VEVENT',
    `UID:${one.window}-${one.plannedFromMs}@${spec.id}.${new URL(url).hostname}`,
    `DTSTAMP:${stamp(one.announcedAtMs)}`,
    `DTSTART:${stamp(one.fromMs)}`,
    `DTEND:${stamp(one.toMs)}`,
    `SUMMARY:${escapeText(`Maintenance: ${one.name}`)}`,
    `DESCRIPTION:${escapeText(about)}`,
    `URL:${url}`,
    'END:VEVENT',
  ];
}

/** `20261121T192000Z`. */
const stamp = (atMs: number): string => iso(atMs).replace(/[-:]|\.\d{3}/g, '');

/** TEXT of RFC 5545, 3.3.11; other control characters have no form there. */
const escapeText = (text: string): string =>
  text
    .replace(/\\/g, '\\\\')
    .replace(/[;,]/g, (mark) => `\\${mark}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/\p{Cc}/gu, ' ');

const MAX_LINE_BYTES = 75;

/** Lines of at most 75 bytes, the further ones begun with a space (RFC 5545, 3.1); never cut within a character. */
function folded(line: string): string {
  const parts: string[] = [];
  let [part, bytes] = ['', 0];
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (bytes + size > MAX_LINE_BYTES) {
      parts.push(part);
      [part, bytes] = [' ', 1];
    }
    part += character;
    bytes += size;
  }
  return [...parts, part].join('\r\n');
}
