import { escapeHtml } from '../../platform/html.ts';
import type { Drawing, Mark, Point } from './marks.ts';

const at = ([x, y]: Point): string => `${decimal(x)} ${decimal(y)}`;
/** What is no place on a drawing is its corner: one such number would undo the whole path. */
const decimal = (value: number): string => (Number.isFinite(value) ? String(Math.round(value * 10) / 10) : '0');

/** A drawing as SVG that carries its colours itself: no style sheet and no script is needed to show it. `title` is read aloud. */
export function svgOf({ width, height, marks }: Drawing, title: string, paint: (colour: string) => string = (colour) => colour): string {
  const size = `viewBox="0 0 ${decimal(width)} ${decimal(height)}" width="${decimal(width)}" height="${decimal(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escapeHtml(title)}" font-family="Inter,system-ui,sans-serif">${marks.map((mark) => markOf({ ...mark, colour: paint(mark.colour) })).join('')}</svg>`;
}

function markOf(mark: Mark): string {
  if (mark.mark === 'line') {
    const dashes = mark.dashed === true ? ' stroke-dasharray="4 3"' : '';
    return `<path d="M${mark.points.map(at).join('L')}" fill="none" stroke="${mark.colour}" stroke-width="${decimal(mark.width)}" stroke-linejoin="round"${dashes}/>`;
  }
  if (mark.mark === 'area') {
    const opacity = mark.opacity === undefined ? '' : ` fill-opacity="${mark.opacity}"`;
    return `<path d="M${mark.points.map(at).join('L')}Z" fill="${mark.colour}"${opacity}/>`;
  }
  const { text, at: place, size, colour, bold, anchor } = mark;
  const style = `font-size="${decimal(size)}" fill="${colour}"${bold === true ? ' font-weight="600"' : ''}${anchor === undefined ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${decimal(place[0])}" y="${decimal(place[1])}" ${style}>${escapeHtml(text)}</text>`;
}
