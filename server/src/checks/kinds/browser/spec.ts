import { SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, secret } from '../../../platform/config/fields.ts';
import { common, type KindSpec, pattern, urlOf } from '../../written.ts';

/** Bounds of one journey. */
const MAX_STEPS = 50;

/** Playwright's: CSS, `text=Sign in`, `role=button[name="Buy"]`, `xpath=…`. */
const selector = z.string().min(1).max(1_000);

const ACTIONS = ['open', 'click', 'fill', 'press', 'wait_for', 'expect_text', 'expect_selector', 'expect_url', 'expect_title'] as const;

const step = z
  .strictObject({
    /** How the step is called in results; without one it is told by what it does. */
    name: z.string().min(1).max(100).optional(),
    /** An address; an answer of 400 or more is down. */
    open: urlOf('http', 'https').optional(),
    click: selector.optional(),
    /** The value is a secret: it is typed, and shown nowhere. */
    fill: z.strictObject({ selector, value: secret }).optional(),
    /** A key such as `Enter`, or a chord such as `Control+a`; without a selector it goes to what has the focus. */
    press: z.strictObject({ key: z.string().min(1).max(50), selector: selector.optional() }).optional(),
    wait_for: z.strictObject({ selector, state: z.enum(['visible', 'hidden', 'attached', 'detached']).default('visible') }).optional(),
    /** Text that is to be seen within the element. */
    expect_text: z.strictObject({ contains: z.string().min(1).max(1_000), selector: selector.default('body') }).optional(),
    /** An element that is to be seen. */
    expect_selector: selector.optional(),
    /** RE2 syntax; some part of the address of the page must match. */
    expect_url: pattern.optional(),
    /** RE2 syntax; some part of the title must match. */
    expect_title: pattern.optional(),
  })
  .superRefine((written, context) => {
    const given = ACTIONS.filter((action) => written[action] !== undefined);
    if (given.length === 1) return;
    const found = given.length === 0 ? 'this has none' : `this has ${given.join(' and ')}`;
    context.addIssue({ code: 'custom', message: `a step does one thing (${ACTIONS.join(', ')}); ${found}` });
  });
export type WrittenStep = z.output<typeof step>;

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('browser'),
    /** A browser costs a thousand times what a request does. */
    interval: duration({ minMs: 30 * SECOND_MS }).prefault('5m'),
    timeout: duration({ minMs: SECOND_MS }).prefault('1m'),
    /** How long one step may take, opening included. */
    step_timeout: duration().prefault('15s'),
    steps: z.array(step).min(1).max(MAX_STEPS),
    viewport: z.strictObject({ width: z.number().int().min(200).max(2_560), height: z.number().int().min(200).max(2_560) }).optional(),
    /** Certificates are held against the authorities that the browser knows. */
    tls: z.strictObject({ verify: z.boolean().default(true) }).prefault({}),
  })
  .superRefine(({ steps }, context) => {
    if (steps[0]?.open !== undefined) return;
    context.addIssue({ code: 'custom', path: ['steps', 0], message: 'a journey begins with an address: open' });
  });

/** A journey of several steps through pages, in a browser without a window. */
export const browser = {
  schema,
  lengths: ['step_timeout'],
  targetOf: (check) => check.steps[0]?.open ?? '',
  hostOf: (check) => {
    const [first] = check.steps;
    return first?.open === undefined ? undefined : { field: 'steps', host: new URL(first.open).hostname.replace(/^\[|\]$/g, '') };
  },
} satisfies KindSpec<typeof schema>;
