/** RDAP answers for domains (RFC 9083), and the list of who answers for which (RFC 9224). */
import { z } from 'zod';
import type { Registration } from './whois.ts';

/** IANA's list of the registries' servers. */
export const BOOTSTRAP_URL = 'https://data.iana.org/rdap/dns.json';

const bootstrap = z.object({ services: z.array(z.tuple([z.array(z.string()), z.array(z.string())])) });
const domainObject = z.object({
  objectClassName: z.string(),
  events: z.array(z.object({ eventAction: z.string(), eventDate: z.string() })).default([]),
});

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The base address for the domain, the longest entry that covers it winning; undefined when none does, or the list is none. */
export function serverOf(list: string, domain: string): string | undefined {
  const read = bootstrap.safeParse(parsed(list));
  if (!read.success) return undefined;
  const name = `.${domain.toLowerCase()}`;
  const covering = read.data.services.flatMap(([entries, urls]) => {
    const entry = entries.filter((one) => name.endsWith(`.${one.toLowerCase()}`)).sort((a, b) => b.length - a.length)[0];
    const url = urls.find((one) => one.startsWith('https:')) ?? urls[0];
    return entry === undefined || url === undefined ? [] : { entry, url };
  });
  return covering.sort((a, b) => b.entry.length - a.entry.length)[0]?.url;
}

/** What an answer says; undefined when it is none that RFC 9083 knows. */
export function readRdap(answer: { readonly statusCode: number; readonly body: string }): Registration | undefined {
  if (answer.statusCode === 404) return { kind: 'unregistered', line: 'status 404' };
  const read = answer.statusCode === 200 ? domainObject.safeParse(parsed(answer.body)) : undefined;
  if (read?.success !== true || read.data.objectClassName !== 'domain') return undefined;
  const written = read.data.events.find(({ eventAction }) => eventAction === 'expiration')?.eventDate;
  const endsAtMs = written === undefined ? Number.NaN : Date.parse(written);
  return Number.isNaN(endsAtMs) ? { kind: 'silent' } : { kind: 'registered', endsAtMs };
}
