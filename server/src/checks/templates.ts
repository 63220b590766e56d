import type { WrittenCheck } from './contract.ts';

/** What a check of a common kind of service begins with; a person fills in whom to ask. */
export type CheckTemplate = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly check: Pick<WrittenCheck, 'kind'> & { readonly interval: string; readonly timeout: string };
};

export const TEMPLATES: readonly CheckTemplate[] = [
  {
    id: 'trading_system',
    name: 'Trading system',
    description: 'Its health page over HTTP every 30 s',
    check: { kind: 'http', interval: '30s', timeout: '10s' },
  },
  {
    id: 'api_gateway',
    name: 'API gateway',
    description: 'An endpoint over HTTP every 30 s',
    check: { kind: 'http', interval: '30s', timeout: '10s' },
  },
  {
    id: 'database',
    name: 'Database',
    description: 'Whether it accepts connections, every minute',
    check: { kind: 'tcp', interval: '60s', timeout: '5s' },
  },
  {
    id: 'ai_models',
    name: 'AI models',
    description: 'An inference endpoint over HTTP every minute; answers may take 15 s',
    check: { kind: 'http', interval: '60s', timeout: '15s' },
  },
  {
    id: 'market_data',
    name: 'Market data',
    description: 'The feed over HTTP every 30 s',
    check: { kind: 'http', interval: '30s', timeout: '10s' },
  },
];
