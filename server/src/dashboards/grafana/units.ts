import type { Unit } from '../model.ts';

/** A unit of Grafana in ours. Values times `factor` are in our unit. */
type Known = { readonly unit: Unit; readonly factor?: number /** What readers see differently. */; readonly told?: string };

const BYTES: Known = { unit: 'bytes' };
const NUMBER: Known = { unit: 'number' };
const PER_SECOND: Known = { unit: 'per_second' };
const seconds = (factor: number): Known => ({ unit: 'seconds', factor });
const bytes = (factor: number): Known => ({ unit: 'bytes', factor });
const perSecond = (factor: number): Known => ({ unit: 'bytes_per_second', factor });

/** By Grafana's ids. Source: @grafana/data valueFormats/categories. */
const UNIT_OF: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['', NUMBER],
  ['none', NUMBER],
  ['short', NUMBER],
  ['sishort', NUMBER],
  ['locale', NUMBER],
  ['string', NUMBER],
  ['sci', NUMBER],
  ['percent', { unit: 'percent' }],
  ['percentunit', { unit: 'ratio' }],
  ['bytes', BYTES],
  ['decbytes', BYTES],
  ['kbytes', bytes(1024)],
  ['mbytes', bytes(1024 ** 2)],
  ['gbytes', bytes(1024 ** 3)],
  ['deckbytes', bytes(1e3)],
  ['decmbytes', bytes(1e6)],
  ['decgbytes', bytes(1e9)],
  ['Bps', { unit: 'bytes_per_second' }],
  ['binBps', { unit: 'bytes_per_second' }],
  ['KBs', perSecond(1e3)],
  ['KiBs', perSecond(1024)],
  ['MBs', perSecond(1e6)],
  ['MiBs', perSecond(1024 ** 2)],
  ['s', { unit: 'seconds' }],
  ['dtdurations', { unit: 'seconds' }],
  ['dthms', { unit: 'seconds' }],
  ['clocks', { unit: 'seconds' }],
  ['timeticks', seconds(0.01)],
  ['m', seconds(60)],
  ['h', seconds(3600)],
  ['d', seconds(86_400)],
  ['ms', { unit: 'milliseconds' }],
  ['dtdurationms', { unit: 'milliseconds' }],
  ['clockms', { unit: 'milliseconds' }],
  ['µs', seconds(1e-6)],
  ['us', seconds(1e-6)],
  ['ns', seconds(1e-9)],
  ['bits', { unit: 'bytes', factor: 1 / 8, told: 'bits are shown as bytes' }],
  ['decbits', { unit: 'bytes', factor: 1 / 8, told: 'bits are shown as bytes' }],
  ['bps', { unit: 'bytes_per_second', factor: 1 / 8, told: 'bits a second are shown as bytes a second' }],
  ['binbps', { unit: 'bytes_per_second', factor: 1 / 8, told: 'bits a second are shown as bytes a second' }],
  ['Kbits', { unit: 'bytes_per_second', factor: 125, told: 'bits a second are shown as bytes a second' }],
  ['Mbits', { unit: 'bytes_per_second', factor: 125_000, told: 'bits a second are shown as bytes a second' }],
  ['ops', PER_SECOND],
  ['reqps', PER_SECOND],
  ['rps', PER_SECOND],
  ['wps', PER_SECOND],
  ['iops', PER_SECOND],
  ['pps', PER_SECOND],
  ['eps', PER_SECOND],
  ['mps', PER_SECOND],
  ['recps', PER_SECOND],
  ['rowsps', PER_SECOND],
  ['cps', PER_SECOND],
  ['opm', { unit: 'per_second', factor: 1 / 60 }],
  ['rpm', { unit: 'per_second', factor: 1 / 60 }],
  ['reqpm', { unit: 'per_second', factor: 1 / 60 }],
]);

/** Undefined for one that the product does not have. */
export function unitOf(id: string): Known | undefined {
  if (id.startsWith('currency')) return { unit: 'currency' };
  return UNIT_OF.get(id);
}

/** What an export writes; each reads back as the same. */
export const GRAFANA_UNITS: Readonly<Record<Unit, string>> = {
  number: 'short',
  percent: 'percent',
  ratio: 'percentunit',
  bytes: 'bytes',
  bytes_per_second: 'binBps',
  seconds: 's',
  milliseconds: 'ms',
  per_second: 'ops',
  currency: 'currencyUSD',
};
