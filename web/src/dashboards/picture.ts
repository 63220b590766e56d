/** A panel as a picture: what stands on the page, drawn anew with its colours written out. No other place is asked for anything. */

type Options = { readonly title: string; readonly format: 'png' | 'svg' };

const PAD = 16;
const HEAD = 36;
const STYLES = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-size', 'font-weight', 'text-anchor'] as const;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** PNG in twice the size, or SVG that embeds what is drawn on a canvas as an image. */
export async function pictureOf(element: HTMLElement, { title, format }: Options): Promise<Blob> {
  const { width } = element.getBoundingClientRect();
  const body = element.querySelector<HTMLElement>('.dash-body');
  const bodyBox = (body ?? element).getBoundingClientRect();
  const style = getComputedStyle(element);
  const size = { width: Math.ceil(width), height: Math.ceil(bodyBox.height) + HEAD + PAD };
  const parts = [
    `<rect width="100%" height="100%" fill="${style.backgroundColor}"/>`,
    textPart(title, { x: PAD, y: 24, size: 14, weight: 600, colour: style.color }),
    ...partsOf(body ?? element, { left: bodyBox.left - PAD, top: bodyBox.top - HEAD }),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" font-family="Inter, system-ui, sans-serif">${parts.join('')}</svg>`;
  if (format === 'svg') return new Blob([svg], { type: 'image/svg+xml' });
  return rasterise(svg, size);
}

type TextPlace = {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly weight: number | string;
  readonly colour: string;
};
const textPart = (text: string, { x, y, size, weight, colour }: TextPlace): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(text)}</text>`;

type Origin = { readonly left: number; readonly top: number };

function partsOf(root: HTMLElement, origin: Origin): string[] {
  const parts: string[] = [];
  for (const canvas of root.querySelectorAll('canvas')) {
    const box = canvas.getBoundingClientRect();
    if (canvas.width === 0 || canvas.height === 0) continue;
    const at = `x="${box.left - origin.left}" y="${box.top - origin.top}" width="${box.width}" height="${box.height}"`;
    parts.push(`<image ${at} href="${canvas.toDataURL('image/png')}"/>`);
  }
  for (const svg of root.querySelectorAll('svg')) parts.push(svgPart(svg, origin));
  for (const bar of root.querySelectorAll<HTMLElement>(
    '.bar-track > span, .stacked-bar > span, .budget-track, .budget-spent, .pie-names i, .chart-names i',
  )) {
    const box = bar.getBoundingClientRect();
    parts.push(
      `<rect x="${box.left - origin.left}" y="${box.top - origin.top}" width="${box.width}" height="${box.height}" fill="${getComputedStyle(bar).backgroundColor}"/>`,
    );
  }
  return [...parts, ...textsOf(root, origin)];
}

/** A drawing of the page with its styles written into it. */
function svgPart(svg: SVGSVGElement, origin: Origin): string {
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
  copy.setAttribute('x', String(box.left - origin.left));
  copy.setAttribute('y', String(box.top - origin.top));
  copy.setAttribute('width', String(box.width));
  copy.setAttribute('height', String(box.height));
  return new XMLSerializer().serializeToString(copy);
}

/** Every piece of text where it stands. */
function textsOf(root: HTMLElement, origin: Origin): string[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const parts: string[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    const text = (node.textContent ?? '').trim();
    if (parent === null || text === '' || parent.closest('svg, .sr-only, style, button') !== null) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const style = getComputedStyle(parent);
    const size = Number.parseFloat(style.fontSize);
    parts.push(
      textPart(text, { x: box.left - origin.left, y: box.top - origin.top + size, size, weight: style.fontWeight, colour: style.color }),
    );
  }
  return parts;
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
