import type { Figure } from '../../contract.ts';

/** Figures of one result; a plugin that lists more lists what nobody asked for. */
const MAX_FIGURES = 50;
/** `'label'=value[unit];warn;crit;min;max`, the label quoted when it has spaces (Monitoring Plugins guidelines, "Performance data"). */
const FIGURE = /(?:'((?:[^']|'')+)'|([^\s'=]+))=([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)([a-z%]*)(?:;\S*)?(?=\s|$)/giy;

type Unit = readonly [name: string, factor: number];
const UNITS: Readonly<Record<string, Unit>> = {
  s: ['seconds', 1],
  ms: ['seconds', 1e-3],
  us: ['seconds', 1e-6],
  ns: ['seconds', 1e-9],
  '%': ['ratio', 0.01],
  b: ['bytes', 1],
  kb: ['bytes', 1e3],
  mb: ['bytes', 1e6],
  gb: ['bytes', 1e9],
  tb: ['bytes', 1e12],
};

/** The figures after the first `|` of a plugin's output, in base units; what is written wrongly is passed over. */
export function figuresFrom(output: string): readonly Figure[] {
  const bar = output.indexOf('|');
  const text = bar < 0 ? '' : (output.slice(bar + 1).split('\n', 1)[0] ?? '');
  const figures: Figure[] = [];
  for (let at = 0; at < text.length && figures.length < MAX_FIGURES; ) {
    FIGURE.lastIndex = at;
    const found = FIGURE.exec(text);
    if (found === null) {
      // On to the next word.
      const rest = /\s+|$/.exec(text.slice(at));
      at += (rest?.index ?? 0) + Math.max(1, rest?.[0].length ?? 0);
      continue;
    }
    at = FIGURE.lastIndex + 1;
    const label = (found[1]?.replaceAll("''", "'") ?? found[2] ?? '').slice(0, 100);
    const [unit, factor] = UNITS[(found[4] ?? '').toLowerCase()] ?? ['value', 1];
    figures.push({ name: `probe_script_${unit}`, value: Number(found[3]) * factor, labels: { label } });
  }
  return figures;
}
