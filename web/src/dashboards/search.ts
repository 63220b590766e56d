/** What the addresses of dashboards may carry. */
import { type Raw, rangeSearch } from '../shell/search.ts';

export const REFRESHES = ['live', '5s', '30s', '1m', 'off'] as const;

/** `vars`: what is chosen, by the name of the variable. `panel`: the one that fills the page. `side`: what stands beside it. */
export type DashboardSearch = {
  last?: string;
  from?: number;
  to?: number;
  refresh?: (typeof REFRESHES)[number];
  vars?: Readonly<Record<string, readonly string[]>>;
  panel?: string;
  edit?: 1;
  side?: 'history';
};
export type DashboardsSearch = { q?: string; tag?: string };
/** `widget`: the one that is open, or `NEW`. */
export type WidgetsSearch = { widget?: string };

const LAST = /^[1-9]\d{0,4}[smhdw]$/;
const MAX_VARIABLES = 30;
const MAX_VALUES = 200;

const word = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Values by name, at most as many as a dashboard can have; whatever is none is dropped. */
function chosen(value: unknown): Readonly<Record<string, readonly string[]>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value)
    .slice(0, MAX_VARIABLES)
    .flatMap(([name, one]) => {
      const values = [one].flat().filter((each): each is string => typeof each === 'string');
      return /^[a-zA-Z_]\w{0,62}$/.test(name) && values.length > 0 ? [[name, values.slice(0, MAX_VALUES)] as const] : [];
    });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

export function dashboardSearch(raw: Raw): DashboardSearch {
  const { from, to } = rangeSearch({ from: raw.from, to: raw.to });
  const last = word(raw.last);
  const refresh = REFRESHES.find((one) => one === raw.refresh);
  const vars = chosen(raw.vars);
  const panel = word(raw.panel);
  return {
    ...(from === undefined || to === undefined ? {} : { from, to }),
    ...(from !== undefined || last === undefined || !LAST.test(last) ? {} : { last }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(vars === undefined ? {} : { vars }),
    ...(panel === undefined ? {} : { panel }),
    ...(raw.edit === 1 ? { edit: 1 as const } : {}),
    ...(raw.side === 'history' ? { side: 'history' as const } : {}),
  };
}

export function dashboardsSearch(raw: Raw): DashboardsSearch {
  const [q, tag] = [word(raw.q), word(raw.tag)];
  return { ...(q === undefined ? {} : { q }), ...(tag === undefined ? {} : { tag }) };
}

export function widgetsSearch({ widget }: Raw): WidgetsSearch {
  const open = word(widget);
  return open === undefined ? {} : { widget: open };
}
