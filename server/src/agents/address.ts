import type { AgentsConfig } from './contract.ts';

/** Where agents connect, as it is written in their command; undefined parts never reach here. */
export function addressOf({ listen, address }: AgentsConfig): string {
  if (address !== undefined) return address.startsWith('https://') ? address : `https://${address}`;
  if (listen === undefined) return '';
  return `https://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`;
}
