/** Grafana's steps of colours as limits with a side and a severity, and back. Pure. */
import type { Threshold } from '../model.ts';
import { numberAt, objectsAt, textAt, listAt, type Fields } from './fields.ts';

type Level = 0 | 1 | 2;
const FINE: Level = 0;
const WARNING: Level = 1;
const CRITICAL: Level = 2;

type Step = { readonly at: number; readonly level: Level };
export type ReadThresholds = { readonly thresholds: readonly Threshold[]; readonly lost: string };

const NONE: ReadThresholds = { thresholds: [], lost: '' };

/** How bad a colour means: red is critical, orange and yellow warn, all else is fine. */
function levelOf(colour: string): Level {
  if (/red/.test(colour)) return CRITICAL;
  if (/orange|yellow/.test(colour)) return WARNING;
  const hue = hueOf(colour);
  if (hue === undefined) return FINE;
  if (hue < 20 || hue >= 335) return CRITICAL;
  return hue < 68 ? WARNING : FINE;
}

/** 0 to 360; undefined for greys and for what is no colour in numbers. */
function hueOf(colour: string): number | undefined {
  const [red = 0, green = 0, blue = 0] = channels(colour);
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  if (most - least < 40) return undefined;
  const span = most - least;
  if (most === red) return (60 * ((green - blue) / span) + 360) % 360;
  return most === green ? 60 * ((blue - red) / span) + 120 : 60 * ((red - green) / span) + 240;
}

function channels(colour: string): readonly number[] {
  const hex = /^#([0-9a-f]{6})/i.exec(colour)?.[1];
  if (hex !== undefined) return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const short = /^#([0-9a-f]{3})$/i.exec(colour)?.[1];
  if (short !== undefined) return short.split('').map((digit) => 17 * Number.parseInt(digit, 16));
  const parts = /^rgba?\(([\d\s.,]{5,60})\)$/.exec(colour)?.[1];
  return parts === undefined ? [] : parts.split(',').map(Number);
}

type Bounds = { readonly min?: number | undefined; readonly max?: number | undefined };

/** Of `fieldConfig.defaults.thresholds`; `factor` brings values into our unit. */
export function readSteps(written: Fields, bounds: Bounds, factor: number): ReadThresholds {
  const steps = objectsAt(written, 'steps').map((step) => ({ at: numberAt(step, 'value'), level: levelOf(textAt(step, 'color')) }));
  if (textAt(written, 'mode') !== 'percentage') return limitsOf(steps.map(({ at, level }) => ({ at: scaled(at, factor), level })));
  const { min = 0, max } = bounds;
  if (max === undefined) return steps.length > 1 ? { thresholds: [], lost: 'thresholds in percent of a range without an end' } : NONE;
  return limitsOf(steps.map(({ at, level }) => ({ at: at === undefined ? -Infinity : min + ((max - min) * at) / 100, level })));
}

const scaled = (at: number | undefined, factor: number): number => (at === undefined ? -Infinity : at * factor);

/** Of a singlestat or an old gauge: `80,90` and three colours. */
export function readList(texts: string, colours: readonly unknown[], factor: number): ReadThresholds {
  const values = texts
    .split(',')
    .filter((one) => one.trim() !== '')
    .map(Number);
  if (values.length === 0 || values.some((one) => !Number.isFinite(one))) return NONE;
  const level = (index: number): Level => levelOf(typeof colours[index] === 'string' ? colours[index] : '');
  return limitsOf([{ at: -Infinity, level: level(0) }, ...values.map((at, index) => ({ at: at * factor, level: level(index + 1) }))]);
}

/** Of the old graph: `{ value, op, colorMode }`. */
export function readMarks(graph: Fields, factor: number): ReadThresholds {
  const thresholds = objectsAt(graph, 'thresholds').flatMap((one): readonly Threshold[] => {
    const at = numberAt(one, 'value');
    const mode = textAt(one, 'colorMode');
    const level = mode === 'custom' ? levelOf(textAt(one, 'fillColor') || textAt(one, 'lineColor')) : levelOfMode(mode);
    if (at === undefined || level === FINE) return [];
    return [{ at: at * factor, severity: severityOf(level), side: textAt(one, 'op') === 'lt' ? 'below' : 'above' }];
  });
  const lost = thresholds.length < listAt(graph, 'thresholds').length ? 'marks that say what is fine' : '';
  return { thresholds, lost };
}

const levelOfMode = (mode: string): Level => (mode === 'critical' ? CRITICAL : mode === 'warning' ? WARNING : FINE);
const severityOf = (level: Level): Threshold['severity'] => (level === CRITICAL ? 'critical' : 'warning');

/** Where it gets worse upwards is a limit above, where it gets better one below; an island of bad values between good ones is neither. */
function limitsOf(written: readonly Step[]): ReadThresholds {
  const steps = [...written].sort((a, b) => a.at - b.at);
  const thresholds: Threshold[] = [];
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    if (before === undefined || before.level === step.level || !Number.isFinite(step.at)) continue;
    const worse = step.level > before.level;
    if (!worse && thresholds.some(({ side }) => side === 'above'))
      return { thresholds: [], lost: 'thresholds that are bad in the middle of a range' };
    thresholds.push({ at: step.at, severity: severityOf(worse ? step.level : before.level), side: worse ? 'above' : 'below' });
  }
  const coloured = steps.length > 1 && thresholds.length === 0;
  return { thresholds: thresholds.slice(0, 10), lost: coloured ? 'colours of thresholds that say neither warning nor critical' : '' };
}

const COLOURS = { fine: 'green', warning: 'orange', critical: 'red' } as const;

/** Steps that `readSteps` reads back as the same limits, where their order allows it. */
export function writeSteps(thresholds: readonly Threshold[]): Fields {
  const below = thresholds.filter(({ side }) => side === 'below').sort((a, b) => a.at - b.at);
  const above = thresholds.filter(({ side }) => side === 'above').sort((a, b) => a.at - b.at);
  const first = below[0];
  const steps = [
    { color: first === undefined ? COLOURS.fine : COLOURS[first.severity], value: null },
    ...below.map(({ at }, index) => ({ color: COLOURS[below[index + 1]?.severity ?? 'fine'], value: at })),
    ...above.map(({ at, severity }) => ({ color: COLOURS[severity], value: at })),
  ];
  return { mode: 'absolute', steps };
}
