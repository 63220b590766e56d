/**
 * iCalendar (RFC 5545), as far as a feed of shifts needs it: instants in UTC, lines folded at 75 octets, text escaped. A feed says the same
 * about a shift under the same UID each time it is read.
 */
export type CalendarEvent = {
  /** The same for the same shift, whenever the feed is read. */
  readonly uid: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly summary: string;
  readonly description: string;
};

export type Calendar = {
  readonly name: string;
  readonly events: readonly CalendarEvent[];
  /** When what the events say changed last. */
  readonly changedAtMs: number;
};

const MAX_LINE_BYTES = 75;
/** How often programs are asked to read again. */
const REFRESH = 'PT15M';

export function renderCalendar({ name, events, changedAtMs }: Calendar): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Nines//On-call//EN',
    'CALSCALE:GREGORIAN',
    `NAME:${escaped(name)}`,
    `X-WR-CALNAME:${escaped(name)}`,
    `REFRESH-INTERVAL;VALUE=DURATION:${REFRESH}`,
    `X-PUBLISHED-TTL:${REFRESH}`,
    ...events.flatMap((event) => [
      'BEGIN:VEVENT',
      `UID:${escaped(event.uid)}`,
      `DTSTAMP:${utcText(changedAtMs)}`,
      `DTSTART:${utcText(event.fromMs)}`,
      `DTEND:${utcText(event.toMs)}`,
      `SUMMARY:${escaped(event.summary)}`,
      `DESCRIPTION:${escaped(event.description)}`,
      // Who is on call may be invited to something else.
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
    ]),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

const utcText = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;

/** RFC 5545, 3.3.11. Other control characters have no place in a text. */
const escaped = (text: string): string =>
  text
    .replaceAll(/[\\;,]/g, (found) => `\\${found}`)
    .replaceAll(/\r\n|\r|\n/g, String.raw`\n`)
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');

/** RFC 5545, 3.1: no line has more than 75 octets, and no character is cut in two. */
function folded(line: string): string {
  let out = '';
  let room = MAX_LINE_BYTES;
  for (const character of line) {
    const bytes = Buffer.byteLength(character);
    if (bytes > room) {
      out += '\r\n ';
      room = MAX_LINE_BYTES - 1;
    }
    out += character;
    room -= bytes;
  }
  return out;
}
