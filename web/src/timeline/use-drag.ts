import { type PointerEvent, useState } from 'react';
import type { View } from './view.ts';

/** Below this a press is a click, not a drag. */
const CLICK_PX = 4;

type Options = {
  readonly view: View;
  readonly width: number;
  readonly onSelect: (view: View) => void;
  readonly onClick: (atMs: number) => void;
};

const xOf = (event: PointerEvent<HTMLElement>): number => event.clientX - event.currentTarget.getBoundingClientRect().left;

/** Pointer on a strip: where it hovers, what it marks, and whether a press was a click or a stretch. */
export function useDrag({ view, width, onSelect, onClick }: Options) {
  const [hoverX, setHoverX] = useState<number | null>(null);
  const [pressX, setPressX] = useState<number | null>(null);
  const msAt = (x: number): number =>
    view.fromMs + ((view.toMs - view.fromMs) * Math.min(width - 0.001, Math.max(0, x))) / Math.max(1, width);
  const dragging = pressX !== null && hoverX !== null && Math.abs(hoverX - pressX) >= CLICK_PX;
  return {
    hoverMs: hoverX === null || dragging ? null : msAt(hoverX),
    selection: dragging ? { x: Math.min(pressX, hoverX), width: Math.abs(hoverX - pressX) } : null,
    handlers: {
      onPointerMove: (event: PointerEvent<HTMLElement>) => setHoverX(xOf(event)),
      onPointerLeave: () => setHoverX(null),
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setPressX(xOf(event));
      },
      onPointerUp: (event: PointerEvent<HTMLElement>) => {
        const x = xOf(event);
        setPressX(null);
        if (pressX === null) return;
        if (Math.abs(x - pressX) < CLICK_PX) onClick(msAt(x));
        else onSelect({ fromMs: Math.round(msAt(Math.min(x, pressX))), toMs: Math.round(msAt(Math.max(x, pressX))) });
      },
      onPointerCancel: () => setPressX(null),
    },
  };
}
