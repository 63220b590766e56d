/** The inputs of a kind's form, read from the schema that judges what is sent: there is no second list of fields. */
import { z } from 'zod';
import { requestHeaders, secret } from '../../platform/config/fields.ts';
import type { ChannelField, ChannelKindView } from '../contract.ts';
import { common } from '../fields.ts';
import { KINDS } from '../kinds.ts';
import { LENGTHS } from './written.ts';

type Node = {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly 'x-type'?: ChannelField['type'];
};

/** What a form does not ask for: the id has an input of its own, the kind is chosen first. */
const ASKED_ELSEWHERE: ReadonlySet<string> = new Set(['id', 'kind']);
const LINES: ReadonlySet<string> = new Set(['templates.text']);

/** Kinds that can be made here, each with its inputs. */
export const channelKinds = (): readonly ChannelKindView[] =>
  Object.entries(KINDS).flatMap(([kind, one]) => ('onlyInFile' in one ? [] : [{ kind, fields: [...fieldsOf(one.schema)] }]));

function fieldsOf(schema: z.ZodType): readonly ChannelField[] {
  const root = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (isSecret(zodSchema)) Object.assign(jsonSchema, { 'x-type': 'secret' });
      if (zodSchema === requestHeaders) Object.assign(jsonSchema, { 'x-type': 'pairs' });
    },
  }) as Node;
  return below(root, '').toSorted((a, b) => Number(a.common) - Number(b.common));
}

/** A secret with a check of its own is a copy that begins with the same text. */
const isSecret = (schema: z.core.$ZodType): boolean => beginningOf(schema) !== undefined && beginningOf(schema) === beginningOf(secret);
const beginningOf = (schema: z.core.$ZodType): unknown => (schema instanceof z.ZodPipe ? schema.def.in : undefined);

const below = ({ properties = {}, required = [] }: Node, before: string): readonly ChannelField[] =>
  Object.entries(properties).flatMap(([name, node]): readonly ChannelField[] => {
    const path = before === '' ? name : `${before}.${name}`;
    if (ASKED_ELSEWHERE.has(path)) return [];
    if (node.properties !== undefined) return below(node, path);
    const one = node.anyOf?.find(({ type }) => type === 'array') ?? node.anyOf?.[0] ?? node;
    const { minimum = null, maximum = null } = one;
    return [
      {
        path,
        type: typeOf(node, one, path),
        required: required.includes(name),
        default: isPlain(node.default) ? node.default : null,
        choices: [...(one.enum ?? [])],
        min: minimum,
        max: maximum,
        common: Object.hasOwn(common, path.split('.')[0] ?? ''),
      },
    ];
  });

function typeOf(node: Node, one: Node, path: string): ChannelField['type'] {
  if (node['x-type'] !== undefined) return node['x-type'];
  if (LENGTHS.has(path)) return 'length';
  if (LINES.has(path)) return 'lines';
  if (one.enum !== undefined) return 'choice';
  if (one.type === 'array') return 'list';
  if (one.type === 'boolean') return 'switch';
  if (one.type === 'object') return 'pairs';
  return one.type === 'integer' || one.type === 'number' ? 'number' : 'text';
}

const isPlain = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value);
