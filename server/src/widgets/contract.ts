/**
 * Widget kinds of one's own: a script that an administrator registers and panels of kind `custom` draw with, in a frame of no origin.
 * Invariants: the script runs in a reader's browser alone, never here; its document may reach neither the page, nor cookies, nor the
 * network. The data contract stands in docs/widgets.md.
 */
import { z } from 'zod';
import { plainText } from '../platform/config/fields.ts';

export const WIDGET_CODES = {
  notFound: 'widget_not_found',
  tooMany: 'too_many_widgets',
  revisionNotFound: 'widget_revision_not_found',
} as const;

const MAX_SOURCE_CHARS = 200_000;

export const widgetBody = z.strictObject({
  name: plainText.trim().min(1, 'a name is needed').max(100),
  description: plainText.max(2_000).default(''),
  /** A classic script that calls `nines.draw(function)`. It stands in the frame's document, which these two would leave. */
  source: plainText
    .min(1, 'a script is needed')
    .max(MAX_SOURCE_CHARS)
    .refine(
      (text) => !/<\/script|<!--/i.test(text),
      'holds "</script" or "<!--", which would end the script; write "<\\/script" or "<\\!--"',
    ),
});
export type WidgetBody = z.output<typeof widgetBody>;

export const widgetSummary = z.object({ id: z.string(), name: z.string(), description: z.string(), revision: z.int() });
export type WidgetSummary = z.output<typeof widgetSummary>;
export const widgetView = widgetSummary.extend({
  source: z.string(),
  /** Dashboards with a panel that draws with it, by title. */
  used_by: z.array(z.object({ id: z.string(), title: z.string() })).readonly(),
});
export type WidgetView = z.output<typeof widgetView>;

/** A version that was in force from `at_ms`, with who put it there. */
export const widgetRevisionView = z.object({ revision: z.int(), at_ms: z.number(), by: z.string() });
export type WidgetRevisionView = z.output<typeof widgetRevisionView>;
/** What a version held, as `PUT /api/widgets/{id}` takes it. */
export const widgetRevisionBody = widgetRevisionView.extend({ name: z.string(), description: z.string(), source: z.string() });
export type WidgetRevisionBody = z.output<typeof widgetRevisionBody>;
