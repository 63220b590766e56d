/** What canvases show, as vectors. Whoever draws on a canvas says here how it is drawn anew in a picture. */

type Draw = () => string;
const DRAWINGS = new WeakMap<HTMLCanvasElement, Draw>();

/** `draw` gives SVG in pixels of the page, with the origin in the canvas' upper left corner; it is called when a picture is saved. */
export const drawnAs = (canvas: HTMLCanvasElement, draw: Draw): void => void DRAWINGS.set(canvas, draw);

/** Undefined where nobody said how. */
export const vectorsOf = (canvas: HTMLCanvasElement): string | undefined => DRAWINGS.get(canvas)?.();

export const markupText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A place with a tenth of a pixel; what is no place is the corner: one such number would undo a whole path. */
export const place = (value: number): string => (Number.isFinite(value) ? String(Math.round(value * 10) / 10) : '0');
