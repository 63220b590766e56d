import { compileRegex } from '@nines/base/regex.ts';
import { RELABEL_ACTIONS, type RelabelAction, type RelabelRule } from '@nines/model/relabel.ts';
import { z } from 'zod';
import { list, text } from './prometheus-fields.ts';

/** One entry of `relabel_configs` as a zod schema. */
const NEEDS_TARGET: readonly RelabelAction[] = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'];

export const relabelRule = z
  .strictObject({
    source_labels: list(text),
    separator: text.default(';'),
    target_label: text.default(''),
    regex: text.default('(.*)'),
    modulus: z.int().min(0).default(0),
    replacement: text.default('$1'),
    action: z
      .string()
      .transform((word) => word.toLowerCase())
      .pipe(z.enum(RELABEL_ACTIONS))
      .default('replace'),
  })
  .transform((written, context): RelabelRule => {
    const regex = compileRegex(written.regex);
    if (!regex.ok) {
      context.addIssue({ code: 'custom', message: regex.error, path: ['regex'] });
      return z.NEVER;
    }
    if (written.action === 'hashmod' && written.modulus === 0)
      context.addIssue({ code: 'custom', message: 'hashmod needs a modulus above 0' });
    if (NEEDS_TARGET.includes(written.action) && written.target_label === '') {
      context.addIssue({ code: 'custom', message: `action ${written.action} needs a target_label` });
    }
    const { action, modulus, replacement, separator } = written;
    return {
      action,
      modulus,
      replacement,
      separator,
      sourceLabels: written.source_labels,
      targetLabel: written.target_label,
      regex: regex.value,
    };
  });
