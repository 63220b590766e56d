/** What the server says of its own API. */
import { queryOptions } from '@tanstack/react-query';
import type { Schema } from '../pages/schema-text.ts';
import { request } from './client.ts';

export type Parameter = { readonly name: string; readonly in: 'path' | 'query'; readonly required: boolean; readonly schema: Schema };
type Content = { readonly 'application/json'?: { readonly schema: Schema } };
type Described = {
  readonly summary?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly 'x-permission': string;
  readonly 'x-step-up'?: true;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};
export type ApiBook = {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};

/** One method of one address. */
export type Operation = Described & { readonly method: string; readonly path: string };

/** Every operation, in the order of the addresses. */
export const operationsOf = ({ paths }: Pick<ApiBook, 'paths'>): readonly Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ ...described, method: method.toUpperCase(), path })),
  );

/** It changes with the version alone. */
export const apiBookQuery = () =>
  queryOptions({
    queryKey: ['api-book'],
    queryFn: ({ signal }) => request<ApiBook>('/api/openapi.json', { signal }),
    staleTime: Infinity,
  });
