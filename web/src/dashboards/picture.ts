/** A panel as a picture: what stands on the page, drawn anew as vectors with its colours written out. No other place is asked for anything. */
import { markupText, place, vectorsOf } from '../charts/vectors.ts';

type Options = { readonly title: string; readonly format: 'png' | 'svg' };

const PAD = 16;
const HEAD = 36;
/** Lists that are scrolled are drawn whole, down to here. */
const MOST_HEIGHT = 8_000;
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'opacity',
  'font-size',
  'font-weight',
  'text-anchor',
  'dominant-baseline',
] as const;
/** Not part of what a panel shows. */
const HIDDEN = '.sr-only, .no-print, style, script, template';

/** PNG in twice the size, or SVG: both the same vectors. */
export async function pictureOf(element: HTMLElement, { title, format }: Options): Promise<Blob> {
  const body = element.querySelector<HTMLElement>('.dash-body') ?? element;
  const box = body.getBoundingClientRect();
  const style = getComputedStyle(element);
  const size = {
    width: Math.ceil(element.getBoundingClientRect().width),
    height: Math.min(MOST_HEIGHT, Math.ceil(Math.max(box.height, body.scrollHeight))) + HEAD + PAD,
  };
  const parts = [
    `<rect width="100%" height="100%" fill="${style.backgroundColor}"/>`,
    textPart(title, { x: PAD, y: 24, size: 14, weight: 600, colour: style.color }),
    ...partsOf(body, { left: box.left - PAD, top: box.top - body.scrollTop - HEAD }),
  ];
  const svg = readable(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" font-family="Inter, system-ui, sans-serif">${parts.join('')}</svg>`,
  );
  if (format === 'svg') return new Blob([svg], { type: 'image/svg+xml' });
  return rasterise(svg, size);
}

/** Without what XML cannot hold: names of series may be anything. */
const readable = (svg: string): string => svg.toWellFormed().replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '\ufffd');

type TextPlace = {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly weight: number | string;
  readonly colour: string;
  /** What it takes on the page: letters of another font are made to fit. */
  readonly length?: number;
};
const textPart = (text: string, { x, y, size, weight, colour, length }: TextPlace): string =>
  `<text x="${place(x)}" y="${place(y)}" font-size="${size}" font-weight="${weight}" fill="${colour}"${length === undefined ? '' : ` textLength="${place(length)}" lengthAdjust="spacingAndGlyphs"`}>${markupText(text)}</text>`;

type Origin = { readonly left: number; readonly top: number };

function partsOf(root: HTMLElement, origin: Origin): string[] {
  const parts: string[] = [];
  for (const one of root.querySelectorAll<HTMLElement | SVGSVGElement>('*')) {
    if (one.closest(HIDDEN) !== null) continue;
    if (one instanceof HTMLCanvasElement) parts.push(canvasPart(one, origin));
    else if (one instanceof SVGSVGElement) parts.push(svgPart(one, origin));
    else if (one instanceof HTMLElement) parts.push(boxPart(one, origin));
  }
  return [...parts, ...textsOf(root, origin)];
}

function canvasPart(canvas: HTMLCanvasElement, origin: Origin): string {
  const box = canvas.getBoundingClientRect();
  const drawn = box.width === 0 ? undefined : vectorsOf(canvas);
  return drawn === undefined
    ? ''
    : `<g transform="translate(${place(box.left - origin.left)} ${place(box.top - origin.top)})">${drawn}</g>`;
}

const CLEAR = /^(?:transparent|rgba\(.*,\s*0\))$/;

/** The ground of an element and the lines below and above it: bars, marks, rows of tables. */
function boxPart(element: HTMLElement, origin: Origin): string {
  const style = getComputedStyle(element);
  const ground = CLEAR.test(style.backgroundColor) ? undefined : style.backgroundColor;
  const foot = Number.parseFloat(style.borderBottomWidth) > 0 && !CLEAR.test(style.borderBottomColor) && style.borderBottomStyle !== 'none';
  if ((ground === undefined && !foot) || style.visibility === 'hidden' || style.opacity === '0') return '';
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.height === 0) return '';
  const [x, y] = [box.left - origin.left, box.top - origin.top];
  const round = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
  const rx = round > 0 ? ` rx="${place(round)}"` : '';
  const filled =
    ground === undefined
      ? ''
      : `<rect x="${place(x)}" y="${place(y)}" width="${place(box.width)}" height="${place(box.height)}"${rx} fill="${ground}"/>`;
  if (!foot) return filled;
  return `${filled}<path d="M${place(x)} ${place(y + box.height)}h${place(box.width)}" stroke="${style.borderBottomColor}" fill="none"/>`;
}

/** A drawing of the page with its styles written into it. */
function svgPart(svg: SVGSVGElement, origin: Origin): string {
  if (svg.parentElement?.closest('svg') !== null) return '';
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = [svg, ...svg.querySelectorAll<SVGElement>('*')];
  [copy, ...copy.querySelectorAll<SVGElement>('*')].forEach((node, at) => {
    const from = originals[at];
    if (from === undefined) return;
    const style = getComputedStyle(from);
    for (const name of STYLES) node.setAttribute(name, style.getPropertyValue(name));
    node.removeAttribute('style');
    node.removeAttribute('class');
  });
  const box = svg.getBoundingClientRect();
  copy.setAttribute('x', place(box.left - origin.left));
  copy.setAttribute('y', place(box.top - origin.top));
  copy.setAttribute('width', place(box.width));
  copy.setAttribute('height', place(box.height));
  return new XMLSerializer().serializeToString(copy);
}

/** Every piece of text where it stands, line by line. */
function textsOf(root: HTMLElement, origin: Origin): string[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const parts: string[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent === null || (node.textContent ?? '').trim() === '' || parent.closest(`svg, ${HIDDEN}`) !== null) continue;
    const style = getComputedStyle(parent);
    if (style.visibility === 'hidden') continue;
    const size = Number.parseFloat(style.fontSize);
    const edge = style.overflowX === 'hidden' ? parent.getBoundingClientRect().right : Number.POSITIVE_INFINITY;
    for (const { text, left, top, height, right } of linesOf(node as Text)) {
      const end = Math.min(right, edge);
      const shown = right > edge + 1 ? shortened(text, (edge - left) / (right - left)) : text;
      const base = top + (height - size) / 2 + size * 0.86;
      const look = { size: Math.round(size * 10) / 10, weight: style.fontWeight, colour: style.color, length: end - left };
      parts.push(textPart(shown, { x: left - origin.left, y: base - origin.top, ...look }));
    }
  }
  return parts;
}

const shortened = (text: string, share: number): string => `${text.slice(0, Math.max(1, Math.floor(text.length * share) - 1))}…`;

type TextLine = { text: string; readonly left: number; readonly top: number; readonly height: number; right: number };

/** The lines that the browser made of a text: words that stand at the same height. */
function linesOf(node: Text): readonly TextLine[] {
  const whole = node.textContent ?? '';
  const lines: TextLine[] = [];
  for (const { 0: word, index } of whole.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const last = lines.at(-1);
    if (last !== undefined && Math.abs(last.top - box.top) < 2) {
      last.text += ` ${word}`;
      last.right = box.right;
    } else lines.push({ text: word, left: box.left, top: box.top, height: box.height, right: box.right });
  }
  return lines;
}

const SCALE = 2;

async function rasterise(svg: string, { width, height }: { readonly width: number; readonly height: number }): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('The browser could not draw the picture.')) : resolve(blob)), 'image/png');
  });
}
