/** Widget kinds that administrators registered. */
import type { WidgetSummary } from '@nines/server/widgets/contract.ts';
import { queryOptions } from '@tanstack/react-query';
import { request } from './client.ts';
import type { Items } from './wire.ts';

export const widgetsQuery = () =>
  queryOptions({ queryKey: ['widgets'], queryFn: ({ signal }) => request<Items<WidgetSummary>>('/api/widgets', { signal }) });
