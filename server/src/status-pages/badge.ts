import { STATE_WORDS, type ServiceSight, type ShownState } from './evaluate.ts';
import { uptimeText } from './marks.ts';
import { xml } from './xml.ts';

/** Grounds on which white text has a contrast of at least 4.5. */
const GROUNDS: Readonly<Record<ShownState, string>> = {
  up: '#107c55',
  degraded: '#96600a',
  down: '#c02a42',
  unknown: '#5c6675',
  maintenance: '#2268b4',
};
/** Average width of a character at 11 px, and the margin at both ends of a field. */
const CHARACTER = 6.6;
const MARGIN = 16;
const MAX_CHARACTERS = 60;

/** A badge of two fields: what it is about, and how it is. */
export function badgeSvg(label: string, state: ShownState, value: string): string {
  const characters = Array.from(label);
  const shown = characters.length > MAX_CHARACTERS ? [...characters.slice(0, MAX_CHARACTERS - 1), '…'] : characters;
  const left = Math.ceil(shown.length * CHARACTER + MARGIN);
  const right = Math.ceil(value.length * CHARACTER + MARGIN);
  const [name, said] = [xml(shown.join('')), xml(value)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${name}: ${said}"><title>${name}: ${said}</title>
<rect width="${left + right}" height="20" rx="4" fill="${GROUNDS[state]}"/><path d="M4 0h${left - 4}v20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#434b5c"/>
<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="${left / 2}" y="14" textLength="${left - MARGIN}" lengthAdjust="spacingAndGlyphs">${name}</text><text x="${left + right / 2}" y="14" textLength="${right - MARGIN}" lengthAdjust="spacingAndGlyphs">${said}</text></g></svg>
`;
}

const SHAPES: Readonly<Record<ShownState, string>> = {
  up: '<circle cx="6" cy="6" r="5"/>',
  degraded: '<path d="M6 .8 11.6 11H.4z"/>',
  down: '<path d="M1 1h10v10H1z"/>',
  unknown: '<path d="M6 .4 11.6 6 6 11.6.4 6z"/>',
  maintenance: '<path d="M0 3.5h12v5H0z"/>',
};

/** What stands beside the title of the page in a browser: the shape of its state. */
export const iconSvg = (state: ShownState): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 12" fill="${GROUNDS[state]}">${SHAPES[state]}</svg>\n`;

/** `up · 99.98%`: the state now and the uptime of the page's days. */
export const serviceBadge = ({ name, state, history }: ServiceSight): string =>
  badgeSvg(
    name,
    state,
    history.uptime === null ? STATE_WORDS[state].toLowerCase() : `${STATE_WORDS[state].toLowerCase()} · ${uptimeText(history)}`,
  );
