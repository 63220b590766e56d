/** How objects stand in the configuration, and what names them. */
import type { DeclarationView, UsedByView } from '@nines/server/objects/contract.ts';
import { queryOptions } from '@tanstack/react-query';
import { recordOf } from '../objects/address.ts';
import { yamlText } from '../objects/yaml-text.ts';
import { request, withQuery } from './client.ts';
import { targetKey } from '../pages/target-order.ts';
import type { Items, TargetView } from './wire.ts';

export type { UsedByView };
/** `record`: what the API tells of it, which no configuration holds. */
export type ObjectText = Pick<DeclarationView, 'yaml' | 'origin' | 'redacted'> & { readonly file: DeclarationView['file'] | 'record' };

export const usedByQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['used-by', kind, id],
    queryFn: ({ signal }) => request<UsedByView>(withQuery('/api/used-by', { kind, id }), { signal }),
  });

export const objectTextQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['object-text', kind, id],
    queryFn: ({ signal }) => textOf(kind, id, signal),
  });

async function textOf(kind: string, id: string, signal: AbortSignal): Promise<ObjectText> {
  const record = recordOf(kind, id);
  if (record === undefined) return request<DeclarationView>(withQuery('/api/declaration', { kind, id }), { signal });
  const answer = await request<unknown>(record.path, { signal });
  const found = record.isList
    ? (answer as Items<{ readonly id?: string }>).items.find((one) => (kind === 'targets' ? targetKey(one as TargetView) : one.id) === id)
    : answer;
  return { yaml: yamlText(found ?? null), file: 'record', origin: '', redacted: false };
}
