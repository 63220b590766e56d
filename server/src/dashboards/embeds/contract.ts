import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, plainText, slug } from '../../platform/config/fields.ts';
import { readLogo } from '../../platform/logo.ts';

/** Links under which a dashboard, or one panel of it, stands in pages of others: signed, with an end, revocable. */
export const EMBED_CODES = {
  notFound: 'embed_not_found',
  tooMany: 'too_many_embeds',
  panelNotFound: 'embed_panel_not_found',
} as const;

export const EMBED_LIMITS = {
  links: 5_000,
  ofDashboard: 100,
  endedOfDashboard: 20,
  sites: 20,
  logoChars: 360_000,
  longestMs: 3_660 * DAY_MS,
} as const;

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'write a colour as #1a2b3c');
/** Whom a browser lets show the page: an origin, or all below a host. Source: CSP Level 3, host-source. */
const site = z
  .string()
  .max(260)
  .regex(
    /^https?:\/\/(\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/,
    'write the site as https://www.example.com, without a path; https://*.example.com for all below it',
  );
const length = z
  .string()
  .refine(
    (text) => duration({ minMs: MINUTE_MS, maxMs: EMBED_LIMITS.longestMs }).safeParse(text).success,
    'write a length of time such as 1h or 7d',
  );
const name = plainText.max(200);

/** What a link shows, and how. */
export const embedLink = z.strictObject({
  /** One panel; absent: the whole dashboard. */
  panel: slug.optional(),
  /** Values of variables, by name; those left out are as the dashboard says. Whoever looks cannot change them. */
  values: z.record(z.string().max(63), z.array(name).max(1_000)).default({}),
  /** How far back it shows; absent: as the dashboard says. */
  range: length.optional(),
  /** Sites whose pages may show it in a frame; without any it stands only by itself. */
  sites: z.array(site).max(EMBED_LIMITS.sites).default([]),
  /** Instead of the dashboard's. */
  title: name.optional(),
  logo: z
    .string()
    .max(EMBED_LIMITS.logoChars)
    .refine((text) => readLogo(text, undefined).ok, 'a logo is an SVG, PNG, JPEG or WebP image of at most 256 KiB as data:image/…;base64,…')
    .optional(),
  theme: z.enum(['light', 'dark']).default('light'),
  colours: z.strictObject({ accent: colour.optional(), ground: colour.optional(), text: colour.optional() }).default({}),
});
export type EmbedLink = z.output<typeof embedLink>;

export const newEmbed = embedLink.extend({
  expires_in: z
    .string()
    .refine(
      (text) => duration({ minMs: MINUTE_MS, maxMs: EMBED_LIMITS.longestMs }).safeParse(text).success,
      'write a length of time such as 30d',
    )
    .default('90d'),
});

/** One line of `GET /api/dashboards/:id/embeds`. `url` opens it without signing in. */
export const embedView = z.object({
  id: z.string(),
  dashboard: z.string(),
  url: z.string(),
  title: z.string().nullable(),
  panel: z.string().nullable(),
  values: z.record(z.string(), z.array(z.string())),
  range: z.string().nullable(),
  sites: z.array(z.string()),
  theme: z.enum(['light', 'dark']),
  made_by: z.string(),
  made_at_ms: z.number(),
  expires_at_ms: z.number(),
  state: z.enum(['open', 'expired', 'revoked']),
});
export type EmbedView = z.output<typeof embedView>;
