import type { RouteOptions } from 'fastify';
import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/** Collects the routes as they are registered and describes them when asked. */
export type ApiBook = { add(route: RouteOptions): void; routes(): readonly RouteOptions[]; document(): JsonSchema };

/** OpenAPI 3.1 from the zod schemas that validate the requests, so the document cannot say anything else than the server does. */
export function createApiBook(version: string): ApiBook {
  const routes: RouteOptions[] = [];
  let made: JsonSchema | undefined;
  return {
    add(route) {
      made = undefined;
      routes.push(route);
    },
    routes: () => routes,
    document() {
      made ??= describe(routes, version);
      return made;
    },
  };
}

function describe(routes: readonly RouteOptions[], version: string): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    if (route.config?.undocumented === true) continue;
    const path = route.url.replace(/:(\w+)(\([^)]*\))?/g, '{$1}').replace(/\*$/, '{path}');
    for (const method of [route.method].flat()) {
      // HEAD answers what GET does, without the body.
      if (method === 'HEAD' || method === 'OPTIONS') continue;
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route, path) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nines', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: 'nines_session' } },
      responses: {
        Problem: {
          description: 'What was refused and why (RFC 9457).',
          content: { 'application/problem+json': { schema: problemSchema } },
        },
      },
    },
  };
}

function operation(route: RouteOptions, path: string): JsonSchema {
  const { summary, description, tags, params, querystring, body, response } = route.schema ?? {};
  const permission = route.config?.permission;
  const area = path.split('/').find((part) => part !== '' && part !== 'api') ?? 'server';
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(description === undefined ? {} : { description }),
    tags: tags ?? [area],
    'x-permission': permission,
    ...(route.config?.stepUp === true ? { 'x-step-up': true } : {}),
    ...(permission === 'public' ? { security: [] } : { security: [{ bearer: [] }, { session: [] }] }),
    parameters: [...parametersOf(params, 'path', path), ...parametersOf(querystring, 'query', path)],
    ...(isZod(body) ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } } : {}),
    responses: responsesOf(response),
  };
}

function parametersOf(schema: unknown, place: 'path' | 'query', path: string): readonly JsonSchema[] {
  if (isZod(schema)) {
    const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: JsonSchema; required?: string[] };
    return Object.entries(properties).map(([name, inner]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: inner,
    }));
  }
  if (place === 'query') return [];
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function responsesOf(response: unknown): JsonSchema {
  const declared = Object.entries((response ?? {}) as Record<string, unknown>).map(([status, schema]) => [
    status,
    isZod(schema)
      ? { description: 'Success.', content: { 'application/json': { schema: jsonSchema(schema, 'output') } } }
      : { description: 'Success.' },
  ]);
  const success = declared.length > 0 ? declared : [['200', { description: 'Success.' }]];
  return { ...(Object.fromEntries(success) as JsonSchema), default: { $ref: '#/components/responses/Problem' } };
}

const isZod = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;
  return rest;
}

const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    field: { type: 'string' },
    details: {},
    instance: { type: 'string' },
  },
};
