import type { Threshold } from '@nines/maths/dashboards/figures.ts';
import type { UnitKind } from '@nines/base/quantity.ts';
import type { State } from '@nines/maths/slo/types.ts';

/** What a panel shows at one instant: drawn numbers, apart from how they were asked for. */
export type Points = readonly (readonly [atMs: number, value: number])[];
export type Line = { readonly name: string; readonly points: Points };
export type Item = { readonly name: string; readonly value: number; readonly colour?: string };

export type Shown =
  /** One number or word, with what stands below it. */
  | {
      readonly kind: 'figure';
      readonly text: string;
      readonly unit: string;
      readonly note: string;
      readonly colour?: string;
      readonly spark: Points;
    }
  | {
      readonly kind: 'lines';
      readonly lines: readonly Line[];
      readonly unit: UnitKind;
      readonly thresholds: readonly Threshold[];
      readonly look: Look;
      readonly span: { readonly fromMs: number; readonly toMs: number };
      /** A longer pause between two values is a gap. */
      readonly gapMs: number;
    }
  | { readonly kind: 'bars'; readonly items: readonly Item[]; readonly unit: UnitKind }
  | { readonly kind: 'pie'; readonly items: readonly Item[]; readonly unit: UnitKind; readonly hollow: boolean }
  | {
      readonly kind: 'gauge';
      readonly value: number;
      readonly unit: UnitKind;
      readonly min: number;
      readonly max: number;
      readonly colour?: string;
    }
  | {
      readonly kind: 'cells';
      readonly rows: readonly string[];
      readonly columns: readonly string[];
      readonly values: readonly (readonly (number | null)[])[];
      readonly range: readonly [number, number];
    }
  | {
      readonly kind: 'table';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly right: readonly number[];
    }
  | { readonly kind: 'strips'; readonly strips: readonly Strip[]; readonly span: { readonly fromMs: number; readonly toMs: number } }
  | { readonly kind: 'words'; readonly lines: readonly string[] }
  /** Why there is nothing to see. */
  | { readonly kind: 'nothing'; readonly why: string };

export type Look = {
  readonly bars: boolean;
  readonly stack: boolean;
  readonly fill: boolean;
  readonly log: boolean;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
};
export type Strip = {
  readonly name: string;
  readonly intervals: readonly { readonly fromMs: number; readonly toMs: number; readonly state: State }[];
};

/** A panel with its title and what it shows. */
export type ShownPanel = { readonly id: string; readonly title: string; readonly shown: Shown };
