/**
 * Status pages: what customers see of services. Several pages, each for its audience: services in groups with their days from the ledger,
 * what people say about incidents (announcements), maintenance, and subscriptions to all of it.
 * A page is written ahead and served from memory: nothing is asked of the store, the ledger or the database while somebody waits for it.
 * It never says more than the ledger knows: unknown is shown as unknown, a share is truncated. Whoever may not see a page is told the same
 * as about one that does not exist.
 */
import { unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { z } from 'zod';
import { hookUrl, secret, slug, uniqueIds } from '../platform/config/fields.ts';

export const STATUS_PAGE_CODES = {
  notFound: 'status_page_not_found',
  exists: 'status_page_exists',
  ownedByFile: 'status_page_owned_by_file',
  invalid: 'status_page_invalid',
  announcementNotFound: 'announcement_not_found',
  announcementInvalid: 'announcement_invalid',
  unwritten: 'status_page_unwritten',
  tooManyTries: 'too_many_tries',
} as const;

/** Bounds of one installation. A page with all its services is about 2 MB of text before compression. */
const MAX_PAGES = 50;
const MAX_GROUPS = 50;
const MAX_SERVICES = 200;
const MAX_WEBHOOKS = 20;
const MIN_PASSWORD_CHARS = 8;
const MIN_TOKEN_CHARS = 16;
/** Words that are paths below /status themselves. */
const RESERVED: ReadonlySet<string> = new Set(['sign-in']);

/** Titles stand in subjects of mails. */
const ONE_LINE = /^\P{Cc}*$/u;
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'write a colour as six hexadecimal digits, for example #0b6e4f');
const domain = z
  .string()
  .max(253)
  .regex(
    /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+$/,
    'write a host name alone, for example status.example.org',
  )
  .transform((name) => name.toLowerCase());

const shown = z.union([
  slug.transform((service) => ({ service, name: undefined, description: '' })),
  z.strictObject({ service: slug, name: z.string().min(1).max(200).optional(), description: z.string().max(500).default('') }),
]);

/** In which a page can speak to its visitors. */
export const PAGE_LANGUAGES = ['en', 'de', 'fr'] as const;
export type PageLanguage = (typeof PAGE_LANGUAGES)[number];

const written = z.strictObject({
  id: slug.refine((id) => !RESERVED.has(id), 'this word is a path of its own; choose another id'),
  title: z.string().min(1).max(120).regex(ONE_LINE, 'write one line without control characters'),
  description: z.string().max(1_000).default(''),
  /** Days are the calendar's in this zone. */
  zone: z
    .string()
    .refine(isZone, { error: ({ input }) => unknownZone(String(input)) })
    .default('UTC'),
  /** In which language the page speaks; what people write on it stays as they wrote it. */
  language: z.enum(PAGE_LANGUAGES).default('en'),
  days: z.int().min(7).max(366).default(90),
  /** Whether the time of announced maintenance counts in the uptime. */
  maintenance: z.enum(['excluded', 'counted']).default('excluded'),
  services: z.array(shown).max(MAX_SERVICES).default([]),
  groups: z
    .array(z.strictObject({ name: z.string().min(1).max(120), services: z.array(shown).min(1).max(MAX_SERVICES) }))
    .max(MAX_GROUPS)
    .default([]),
  /** Present: only who knows the password or has the link with the token sees that the page exists. */
  private: z
    .strictObject({
      password: secret.refine((text) => text.reveal().length >= MIN_PASSWORD_CHARS, `at least ${MIN_PASSWORD_CHARS} characters`).optional(),
      token: secret.refine((text) => text.reveal().length >= MIN_TOKEN_CHARS, `at least ${MIN_TOKEN_CHARS} characters`).optional(),
    })
    .refine(({ password, token }) => password !== undefined || token !== undefined, 'a private page needs a `password` or a `token`')
    .optional(),
  /** A file (SVG, PNG, JPEG, WebP) relative to the configuration file, or the same as a data: URL. */
  logo: z.string().min(1).max(400_000).optional(),
  colours: z.strictObject({ accent: colour.optional(), accent_dark: colour.optional() }).default({}),
  /** A host name whose requests are answered with this page. */
  domain: domain.optional(),
  subscriptions: z
    .strictObject({
      /** A channel of kind `email`, through which subscribers are written to. */
      email: slug.optional(),
      /** Whether anybody may subscribe a webhook; its address must be a public one. */
      webhook: z.boolean().default(false),
      /** Whether subscribers are told of maintenance when it is announced. */
      maintenance: z.boolean().default(true),
    })
    .prefault({}),
  /** Receivers that need no subscription. */
  webhooks: z
    .array(z.strictObject({ url: hookUrl, secret: secret.optional() }))
    .max(MAX_WEBHOOKS)
    .default([]),
});

/** One page, as it is written in the file or sent to the API. */
export const statusPageSchema = written.superRefine((page, context) => {
  const all = [
    ...page.services.map((one, i) => ({ one, path: ['services', i] })),
    ...page.groups.flatMap(({ services }, g) => services.map((one, i) => ({ one, path: ['groups', g, 'services', i] }))),
  ];
  if (all.length === 0) context.addIssue({ code: 'custom', message: `the status page "${page.id}" shows no service`, path: ['services'] });
  if (all.length > MAX_SERVICES)
    context.addIssue({ code: 'custom', message: `a status page shows at most ${MAX_SERVICES} services`, path: ['groups'] });
  const seen = new Set<string>();
  for (const { one, path } of all) {
    if (seen.has(one.service))
      context.addIssue({ code: 'custom', message: `the status page "${page.id}" shows "${one.service}" twice`, path });
    seen.add(one.service);
  }
});
export type StatusPageSpec = z.output<typeof statusPageSchema>;
export type ShownService = StatusPageSpec['services'][number];

/** Where a page is on its server, without a slash at the end: `/status/shop`. */
export const pagePath = ({ id }: { readonly id: string }): string => `/status/${id}`;

/** Every service of a page, in the order in which the page shows them. */
export const servicesOf = (page: StatusPageSpec): readonly ShownService[] => [
  ...page.services,
  ...page.groups.flatMap(({ services }) => services),
];

/** The section `status_pages`. */
export const statusPagesConfig = z
  .array(statusPageSchema)
  .max(MAX_PAGES)
  .superRefine(uniqueIds('status page'))
  .superRefine((pages, context) => {
    pages.forEach((page, index) => {
      const other = pages.slice(0, index).find((before) => before.domain !== undefined && before.domain === page.domain);
      if (other !== undefined)
        context.addIssue({
          code: 'custom',
          message: `the domain "${page.domain}" is that of "${other.id}" already`,
          path: [index, 'domain'],
        });
    });
  })
  .default([]);

type Named = {
  readonly services: ReadonlySet<string>;
  readonly emails: ReadonlySet<string>;
  /** The host name of the server itself, where that is known. */
  readonly host?: string | undefined;
};

/** What a page names that is not there. Paths are within the page. */
export function unknownToPage(
  page: StatusPageSpec,
  known: Named,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const missing = ({ service }: ShownService, path: readonly (string | number)[]) =>
    known.services.has(service) ? [] : [{ path, message: `the status page "${page.id}" shows "${service}", which is no declared service` }];
  const { email } = page.subscriptions;
  return [
    ...page.services.flatMap((one, i) => missing(one, ['services', i])),
    ...page.groups.flatMap(({ services }, g) => services.flatMap((one, i) => missing(one, ['groups', g, 'services', i]))),
    ...(page.domain === undefined || page.domain !== known.host
      ? []
      : [{ path: ['domain'], message: `the domain "${page.domain}" is that of the server itself, which nobody could reach any more` }]),
    ...(email === undefined || known.emails.has(email)
      ? []
      : [{ path: ['subscriptions', 'email'], message: `there is no channel "${email}" of kind email` }]),
  ];
}

/** The same for the section `status_pages`. */
export const unknownToPages = (pages: readonly StatusPageSpec[], known: Named): ReturnType<typeof unknownToPage> =>
  pages.flatMap((page, index) => unknownToPage(page, known).map(({ path, message }) => ({ path: [index, ...path], message })));

/** What people say while something is wrong, and `notice` about anything else. */
export const ANNOUNCEMENT_STATES = ['notice', 'investigating', 'identified', 'monitoring', 'resolved'] as const;
export type AnnouncementState = (typeof ANNOUNCEMENT_STATES)[number];

export type AnnouncementUpdate = {
  readonly id: string;
  readonly state: AnnouncementState;
  readonly text: string;
  /** When it holds, as its writer said. */
  readonly atMs: number;
  readonly recordedAtMs: number;
  readonly by: string;
};

/** What people say on pages about one matter, in updates. Its state is that of its newest update. */
export type Announcement = {
  readonly id: string;
  readonly title: string;
  readonly pages: readonly string[];
  readonly services: readonly string[];
  /** Oldest first; at least one. */
  readonly updates: readonly AnnouncementUpdate[];
  /** Taken off the pages; null while it stands there. */
  readonly withdrawnAtMs: number | null;
  readonly withdrawnBy: string | null;
};

const line = z.string().trim().min(1).max(200).regex(ONE_LINE, 'write one line without control characters');
const text = z.string().trim().min(1).max(5_000);
const at = z.int().nonnegative();

export const newAnnouncement = z.strictObject({
  title: line,
  pages: z.array(slug).min(1).max(MAX_PAGES),
  services: z.array(slug).max(MAX_SERVICES).default([]),
  state: z.enum(ANNOUNCEMENT_STATES).default('investigating'),
  text,
  /** Unix milliseconds; absent: now. */
  at_ms: at.optional(),
  /** Whether subscribers are told. */
  notify: z.boolean().default(true),
});
export type NewAnnouncement = z.output<typeof newAnnouncement>;

export const newUpdate = z.strictObject({
  state: z.enum(ANNOUNCEMENT_STATES),
  text,
  at_ms: at.optional(),
  notify: z.boolean().default(true),
});
export type NewUpdate = z.output<typeof newUpdate>;

/** The shape of `GET /api/announcements` items. */
export const announcementView = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(ANNOUNCEMENT_STATES),
  pages: z.array(z.string()),
  services: z.array(z.string()),
  began_at_ms: z.number(),
  /** Null while it is open. */
  resolved_at_ms: z.number().nullable(),
  withdrawn_at_ms: z.number().nullable(),
  withdrawn_by: z.string().nullable(),
  /** Newest first. */
  updates: z.array(
    z.object({
      id: z.string(),
      state: z.enum(ANNOUNCEMENT_STATES),
      text: z.string(),
      at_ms: z.number(),
      recorded_at_ms: z.number(),
      by: z.string(),
    }),
  ),
});
export type AnnouncementView = z.infer<typeof announcementView>;

export const latest = ({ updates }: Announcement): AnnouncementUpdate => {
  const last = updates.at(-1);
  if (last === undefined) throw new Error('an announcement has at least one update, found none');
  return last;
};
export const beganAtMs = ({ updates }: Announcement): number => updates[0]?.atMs ?? 0;
export const isOpen = (one: Announcement): boolean => latest(one).state !== 'resolved';

export const announcementToWire = (one: Announcement): AnnouncementView => ({
  id: one.id,
  title: one.title,
  state: latest(one).state,
  pages: [...one.pages],
  services: [...one.services],
  began_at_ms: beganAtMs(one),
  resolved_at_ms: isOpen(one) ? null : latest(one).atMs,
  withdrawn_at_ms: one.withdrawnAtMs,
  withdrawn_by: one.withdrawnBy,
  updates: one.updates.toReversed().map((update) => ({
    id: update.id,
    state: update.state,
    text: update.text,
    at_ms: update.atMs,
    recorded_at_ms: update.recordedAtMs,
    by: update.by,
  })),
});

/** The shape of `GET /api/status-pages` items. */
export const statusPageView = z.object({
  id: z.string(),
  title: z.string(),
  /** Where people find it, from outside. */
  url: z.string(),
  path: z.string(),
  private: z.boolean(),
  domain: z.string().nullable(),
  services: z.array(z.string()),
  state: z.enum(['up', 'degraded', 'down', 'unknown', 'maintenance']),
  /** When what it shows was written; null while nothing was. */
  written_at_ms: z.number().nullable(),
  open_announcements: z.number(),
  subscribers: z.object({ email: z.number(), webhook: z.number() }),
  /** `ui`, or the place in the configuration file. */
  origin: z.string(),
  /** Ready to be saved as a copy; secrets are left out. */
  spec: z.unknown(),
});
export type StatusPageView = z.infer<typeof statusPageView>;
