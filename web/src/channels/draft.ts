/** A channel while it is written: one text for each field of its kind. Pure. */
import type { ChannelField, Declaration } from '../api/channels.ts';

/** By the field's path; a switch is `true` or `false`, a list one item a line, pairs one `name: value` a line. */
export type Values = Readonly<Record<string, string>>;

/** What stands in the place of a secret that is set. */
export const KEPT = '[redacted]';

export const valuesOf = (fields: readonly ChannelField[], channel: Declaration): Values =>
  Object.fromEntries(fields.map(({ path }) => [path, textOf(valueAt(channel, path))]).filter(([, text]) => text !== ''));

const valueAt = (channel: Declaration, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, key) => (inner as Declaration | undefined)?.[key], channel);

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(String).join('\n');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${name}: ${String(inner)}`)
      .join('\n');
  return String(value as string | number | boolean);
}

/** What is sent: fields with nothing in them are left out, and so are the objects that they would stand in. */
export function declarationOf(
  { id, kind }: { readonly id: string; readonly kind: string },
  fields: readonly ChannelField[],
  values: Values,
): Declaration {
  const made: Record<string, unknown> = { id, kind };
  for (const field of fields) {
    const value = parsed(field, values[field.path] ?? '');
    if (value === undefined) continue;
    const steps = field.path.split('.');
    const last = steps.pop() ?? '';
    let inner = made;
    for (const step of steps) inner = (inner[step] ??= {}) as Record<string, unknown>;
    inner[last] = value;
  }
  return made;
}

function parsed({ type }: ChannelField, text: string): unknown {
  if (text.trim() === '') return undefined;
  switch (type) {
    case 'switch':
      return text === 'true';
    case 'number': {
      const number = Number(text);
      // The server says what is wrong with what is no number.
      return Number.isNaN(number) ? text : number;
    }
    case 'list':
      return text
        .split(/[\n,]/)
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'pairs':
      return Object.fromEntries(
        text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line) => {
            const at = line.indexOf(':');
            return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
          }),
      );
    case 'secret':
    case 'lines':
      return text;
    default:
      return text.trim();
  }
}

/** The objects that a field stands in: it is needed only when something of the innermost one is written. */
export function isNeeded(field: ChannelField, fields: readonly ChannelField[], values: Values): boolean {
  if (!field.required) return false;
  const group = field.path.split('.').slice(0, -1).join('.');
  return group === '' || fields.some(({ path, type }) => type !== 'switch' && path.startsWith(`${group}.`) && (values[path] ?? '') !== '');
}
