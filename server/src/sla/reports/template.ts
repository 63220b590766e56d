import { createHash } from 'node:crypto';
import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import { z } from 'zod';
import { slug, uniqueIds } from '../../platform/config/fields.ts';
import { readLogo } from '../../platform/logo.ts';
import { instant } from '../statements/words.ts';
import type { SignedReport } from './report.ts';

/**
 * How a report over several contracts is laid out as a page or as Markdown: its words, what stands in it and in which order, logo and
 * colour. A list of parts and plain text, so that there is nothing in it that could run; no figure depends on it.
 */

/** What a report can show; in this order unless a template says otherwise. */
export const REPORT_PARTS = ['budget', 'contracts', 'services', 'excluded', 'recommendations'] as const;
export type ReportPart = (typeof REPORT_PARTS)[number];
export const PART_TITLES: Readonly<Record<ReportPart, string>> = {
  budget: 'Budget spent',
  contracts: 'Contracts',
  services: 'Services',
  excluded: 'Excluded time',
  recommendations: 'Recommendations',
};

export type ReportSection =
  | { readonly kind: 'part'; readonly part: ReportPart; readonly title: string }
  | { readonly kind: 'text'; readonly title: string; readonly text: string };
export type ReportTemplate = {
  readonly id: string;
  /** Null: the report's own. */
  readonly title: string | null;
  readonly sections: readonly ReportSection[];
  /** Instead of the sentence about the signature, which then follows it. */
  readonly closing: string;
  /** A data: URL. */
  readonly logo: string | null;
  /** `#1a2b3c`. */
  readonly accent: string | null;
};

/** What the words of a template may name. */
const FIELDS: Readonly<Record<string, (report: SignedReport) => string>> = {
  title: ({ title }) => title,
  customer: ({ customer }) => customer?.name ?? '',
  period: ({ calendar, period }) => calendar.name ?? `${instant(period.from_at_ms)} to ${instant(period.to_at_ms)}`,
  from: ({ period }) => instant(period.from_at_ms).slice(0, 10),
  to: ({ period }) => instant(period.to_at_ms).slice(0, 10),
  contracts: ({ totals }) => String(totals.contracts),
  met: ({ totals }) => String(totals.met),
  breached: ({ totals }) => String(totals.breached),
  owed: ({ totals }) => totals.credits.map(({ amount, currency }) => `${amount} ${currency}`).join(', '),
};
const FIELD = /\{([a-z_]+)\}/g;

/** The words with what they name; fields are checked when the template is. */
export const filledIn = (text: string, report: SignedReport): string =>
  text.replace(FIELD, (written, name: string) => FIELDS[name]?.(report) ?? written);

const words = (maxChars: number) =>
  z
    .string()
    .max(maxChars)
    .superRefine((text, context) => {
      for (const [written, name = ''] of text.matchAll(FIELD)) {
        if (FIELDS[name] !== undefined) continue;
        const known = Object.keys(FIELDS)
          .map((field) => `{${field}}`)
          .join(', ');
        context.addIssue({ code: 'custom', message: `there is no ${written} in a report; write one of ${known}` });
      }
    });
const MAX_TITLE_CHARS = 200;
const MAX_TEXT_CHARS = 20_000;
const MAX_SECTIONS = 50;
const MAX_TEMPLATES = 200;

const section = z
  .union([
    z.enum(REPORT_PARTS).transform((part) => ({ part, title: undefined, text: undefined })),
    z.strictObject({
      part: z.enum(REPORT_PARTS).optional(),
      title: words(MAX_TITLE_CHARS).optional(),
      text: words(MAX_TEXT_CHARS).optional(),
    }),
  ])
  .transform(({ part, title, text }, context): ReportSection => {
    if (part !== undefined && text === undefined) return { kind: 'part', part, title: title ?? PART_TITLES[part] };
    if (part === undefined && text !== undefined) return { kind: 'text', title: title ?? '', text };
    context.addIssue({ code: 'custom', message: `a section is either a \`part\` (${REPORT_PARTS.join(', ')}) or a \`text\`` });
    return z.NEVER;
  });

export const reportTemplateConfig = z
  .strictObject({
    id: slug,
    title: words(MAX_TITLE_CHARS).min(1).optional(),
    sections: z
      .array(section)
      .min(1)
      .max(MAX_SECTIONS)
      .default(REPORT_PARTS.map((part) => ({ kind: 'part', part, title: PART_TITLES[part] }))),
    closing: words(MAX_TEXT_CHARS).default(''),
    /** SVG, PNG, JPEG or WebP as data:image/…;base64,… */
    logo: z
      .string()
      .max(400_000)
      .superRefine((written, context) => {
        const read = readLogo(written, undefined);
        if (!read.ok) context.addIssue({ code: 'custom', message: read.error });
      })
      .optional(),
    accent: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'a colour is # and six hexadecimal digits, for example #1a5fb4')
      .optional(),
  })
  .transform(
    ({ title, logo, accent, ...rest }): ReportTemplate => ({ ...rest, title: title ?? null, logo: logo ?? null, accent: accent ?? null }),
  );

/** The section `report_templates`. */
export const reportTemplatesConfig = z.array(reportTemplateConfig).max(MAX_TEMPLATES).default([]).superRefine(uniqueIds('report template'));

/** Of the whole template, so that a page says what laid it out. */
export const templateDigest = (template: ReportTemplate): string =>
  createHash('sha256')
    .update(canonicalJson(template as unknown as Json))
    .digest('hex');

/** What laid the page out, in a sentence. */
export const templateSentence = (template: ReportTemplate): string =>
  `Laid out by the template ${template.id} (SHA-256 ${templateDigest(template)}), which changes no figure.`;

/** What a report without a template is laid out by. */
export const PLAIN: Omit<ReportTemplate, 'id'> = {
  title: null,
  sections: REPORT_PARTS.map((part) => ({ kind: 'part', part, title: PART_TITLES[part] })),
  closing: '',
  logo: null,
  accent: null,
};
