/** JSON Schema as people read types: one line a field, what bounds it behind it. */
export type Schema = { readonly [key: string]: unknown };

const STEP = '  ';
/** Deeper ones are named by their kind alone. */
const MAX_DEPTH = 8;

/** The schema as text, without an end of line. */
export const schemaText = (schema: Schema): string => typeText(schema, { root: schema, depth: 0, within: [] });

type Place = {
  readonly root: Schema;
  readonly depth: number;
  /** Names of the definitions that this is a part of. */
  readonly within: readonly string[];
};

function typeText(schema: Schema, place: Place): string {
  const { $ref: ref, anyOf, oneOf, allOf, enum: values, type } = schema;
  if (typeof ref === 'string') return refText(ref, place);
  const choices = [anyOf, oneOf].find((one) => Array.isArray(one));
  if (Array.isArray(choices)) return uniqueTexts(choices.map((one) => typeText(one as Schema, place))).join(' | ');
  if (Array.isArray(allOf)) return uniqueTexts(allOf.map((one) => typeText(one as Schema, place))).join(' & ');
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(type)) return type.map((one) => typeText({ ...schema, type: one as unknown }, place)).join(' | ');
  if (type === 'array') return arrayText(schema, place);
  if (type === 'object' || 'properties' in schema) return objectTextOf(schema, place);
  return typeof type === 'string' ? type : 'any';
}

const uniqueTexts = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function refText(ref: string, place: Place): string {
  if (ref === '#') return '(the same again)';
  const name = ref.split('/').at(-1) ?? ref;
  const found = ((place.root['$defs'] ?? {}) as Record<string, Schema>)[name];
  return found === undefined || place.within.includes(name) ? name : typeText(found, { ...place, within: [...place.within, name] });
}

function arrayText({ items, prefixItems }: Schema, place: Place): string {
  if (Array.isArray(prefixItems)) return `[${prefixItems.map((one) => typeText(one as Schema, place)).join(', ')}]`;
  const inner = typeof items === 'object' && items !== null ? typeText(items as Schema, place) : 'any';
  return / [|&] /.test(inner) && !inner.startsWith('{') ? `(${inner})[]` : `${inner}[]`;
}

function objectTextOf({ properties, required, additionalProperties }: Schema, place: Place): string {
  const fields = Object.entries((properties ?? {}) as Record<string, Schema>);
  const others = typeof additionalProperties === 'object' && additionalProperties !== null ? (additionalProperties as Schema) : undefined;
  if (place.depth >= MAX_DEPTH || (fields.length === 0 && others === undefined)) return 'object';
  const indent = STEP.repeat(place.depth + 1);
  const inner = { ...place, depth: place.depth + 1 };
  const needed = new Set(Array.isArray(required) ? required : []);
  const lines = fields.map(([name, schema]) => {
    const bounds = boundsText(schema);
    return `${indent}${name}${needed.has(name) ? '' : '?'}: ${typeText(schema, inner)}${bounds === '' ? '' : `  // ${bounds}`}`;
  });
  if (others !== undefined) lines.push(`${indent}[name]: ${typeText(others, inner)}`);
  return `{\n${lines.join('\n')}\n${STEP.repeat(place.depth)}}`;
}

const range = (least: unknown, most: unknown, unit: string): string => {
  const [has, ends] = [typeof least === 'number', typeof most === 'number'];
  if (has && ends) return `${String(least)} to ${String(most)}${unit}`;
  if (has) return `at least ${String(least)}${unit}`;
  return ends ? `at most ${String(most)}${unit}` : '';
};

/** A number beyond which every integer is inexact bounds nothing that anybody wants to read. */
const told = (bound: unknown): unknown => (typeof bound === 'number' && Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound);

/** What a value must be besides of its type: `1 to 100 characters, default "x"`. */
export function boundsText(schema: Schema): string {
  const { minLength, maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minItems, maxItems, format, description } = schema;
  return [
    typeof description === 'string' ? description : '',
    typeof format === 'string' ? format : '',
    range(minLength, maxLength, ' characters'),
    range(told(minimum), told(maximum), ''),
    typeof exclusiveMinimum === 'number' ? `above ${exclusiveMinimum}` : '',
    typeof exclusiveMaximum === 'number' ? `below ${exclusiveMaximum}` : '',
    range(minItems, maxItems, ' items'),
    'default' in schema ? `default ${JSON.stringify(schema['default'])}` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
