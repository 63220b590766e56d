import type { StatusPageSpec } from './contract.ts';
import { ANNOUNCEMENT_WORDS, type PlannedWork, type Sight, namesOf, nextOfEach } from './evaluate.ts';
import { timesIn } from './times.ts';
import { xml } from './xml.ts';

/** A page as its feeds name it: its address from outside, without a slash at the end. */
export type FeedOf = { readonly spec: StatusPageSpec; readonly url: string };

/** Updates in one feed; readers ask often enough not to miss more. */
const MAX_ENTRIES = 50;
type Entry = { readonly id: string; readonly title: string; readonly text: string; readonly atMs: number; readonly link: string };

/** The updates of a page's announcements and the maintenance that was planned, newest first; of windows that come again the next time. */
function entriesOf({ url, spec }: FeedOf, { open, past, maintenance, groups }: Sight): readonly Entry[] {
  const times = timesIn(spec.zone);
  const names = namesOf(groups);
  const said = [...open, ...past].flatMap((one) =>
    one.updates.map((update) => ({
      id: `urn:uuid:${update.id}`,
      title: `${ANNOUNCEMENT_WORDS[update.state]}: ${one.title}`,
      text: update.text,
      atMs: update.atMs,
      link: `${url}#announcement-${one.id}`,
    })),
  );
  const planned = nextOfEach(maintenance).map((one) => ({
    id: `${url}#maintenance-${one.window}-${one.plannedFromMs}`,
    title: `Maintenance: ${one.name}`,
    text: `${aboutOf(one, names)}: ${times.text(one.fromMs)} to ${times.text(one.toMs)} ${spec.zone}`,
    atMs: one.announcedAtMs,
    link: url,
  }));
  return [...said, ...planned].sort((a, b) => b.atMs - a.atMs).slice(0, MAX_ENTRIES);
}

const aboutOf = ({ services }: PlannedWork, names: ReadonlyMap<string, string>): string =>
  services.flatMap((id) => names.get(id) ?? []).join(', ');

/** RSS 2.0. */
export function rssOf(of: FeedOf, sight: Sight): string {
  const items = entriesOf(of, sight).map(
    ({ id, title, text, atMs, link }) =>
      `<item><title>${xml(title)}</title><link>${xml(link)}</link><guid isPermaLink="false">${xml(id)}</guid><pubDate>${new Date(atMs).toUTCString()}</pubDate><description>${xml(text)}</description></item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>${xml(of.spec.title)}</title><link>${xml(of.url)}</link><atom:link href="${xml(`${of.url}/feed.rss`)}" rel="self" type="application/rss+xml"/><description>${xml(of.spec.description || `Announcements of ${of.spec.title}`)}</description>
${items.join('\n')}
</channel></rss>
`;
}

/** Atom 1.0, RFC 4287. */
export function atomOf(of: FeedOf, sight: Sight): string {
  const entries = entriesOf(of, sight);
  const items = entries.map(
    ({ id, title, text, atMs, link }) =>
      `<entry><id>${xml(id)}</id><title>${xml(title)}</title><link href="${xml(link)}"/><updated>${iso(atMs)}</updated><content type="text">${xml(text)}</content></entry>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>${xml(of.url)}</id><title>${xml(of.spec.title)}</title><link href="${xml(of.url)}"/><link rel="self" href="${xml(`${of.url}/feed.atom`)}"/><author><name>${xml(of.spec.title)}</name></author><updated>${iso(entries[0]?.atMs ?? 0)}</updated>
${items.join('\n')}
</feed>
`;
}

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** The maintenance that goes on and is planned, as a calendar. Source: RFC 5545. */
export function calendarOf(of: FeedOf, { maintenance, groups }: Sight): string {
  const names = namesOf(groups);
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
  return [
    'BEGIN:VEVENT',
    `UID:${one.window}-${one.plannedFromMs}@${spec.id}.${new URL(url).hostname}`,
    `DTSTAMP:${stamp(one.announcedAtMs)}`,
    `DTSTART:${stamp(one.fromMs)}`,
    `DTEND:${stamp(one.toMs)}`,
    `SUMMARY:${escapeText(`Maintenance: ${one.name}`)}`,
    `DESCRIPTION:${escapeText(aboutOf(one, names))}`,
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
