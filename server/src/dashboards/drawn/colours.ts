import type { State } from '@nines/maths/slo/types.ts';

/** The light theme, which paper and embedded pages share; a page in dark colours puts others in their place. */
export const INK = '#151922';
export const SOFT = '#434b5c';
export const FAINT = '#626b7d';
export const LINE = '#e4e7ed';
export const SERIES = ['#3d5a8a', '#0d7d8b', '#9c4f96', '#8a6239', '#57a0d3', '#6f5fb5', '#5c6675', '#b5628b'] as const;
export const seriesColour = (i: number): string => SERIES[i % SERIES.length] ?? INK;

export const STATE_NAMES: Readonly<Record<State, string>> = { up: 'Up', degraded: 'Degraded', down: 'Down', unknown: 'Unknown' };

export const INK_OF = {
  up: '#1a9e6f',
  met: '#1a9e6f',
  degraded: '#d98e04',
  at_risk: '#d98e04',
  warning: '#d98e04',
  down: '#d1344b',
  breached: '#d1344b',
  critical: '#d1344b',
  emergency: '#151922',
  unknown: '#8d95a5',
  info: '#8d95a5',
} as const;

/** Cells from little to much, and below zero. */
export const HUES = ['#eef1f8', '#c8d3e8', '#9db1d6', '#6f8cc0', '#3d5a8a', '#22365a'] as const;
export const BELOW = ['#f8efe6', '#ead1b3', '#d8ae7c', '#bd874a', '#8a6239', '#5c3f22'] as const;
