import { parseCsv } from '@nines/base/csv-read.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { mappedBy, type OtherResult, spansOfResults } from './results.ts';
import { IMPORT_LIMITS, type ReadRows, type Refusal } from './contract.ts';

/** Its states, by number. Source: `src/util.ts` of Uptime Kuma. */
const SEEN = ['down', 'up', 'pending', 'none'] as const;
/** `2026-11-21 02:00:00.123`, in UTC. */
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z?$/;

const scalar = z.union([z.string(), z.number()]);
const heartbeat = z.looseObject({
  monitor_id: scalar.optional(),
  monitorID: scalar.optional(),
  status: scalar,
  time: z.string(),
  msg: z.string().nullish(),
});
const listing = z.looseObject({
  heartbeatList: z.union([z.array(heartbeat), z.record(z.string(), z.array(heartbeat))]),
  monitorList: z
    .union([
      z.array(z.looseObject({ id: scalar, name: z.string() })),
      z.record(z.string(), z.looseObject({ id: scalar.optional(), name: z.string() })),
    ])
    .optional(),
});
type Heartbeat = z.infer<typeof heartbeat> & { readonly row: number };
type Options = { readonly services: Readonly<Record<string, string>>; readonly intervalMs: number | undefined };

/** Reads heartbeats: rows of its table as CSV or JSON, or its lists of heartbeats and monitors. Monitors are services by id, by name, or as `services` says. */
export function readUptimeKuma(text: string, { services, intervalMs }: Options): ReadRows {
  const read = text.trimStart().startsWith('[') || text.trimStart().startsWith('{') ? readJson(text) : readTable(text);
  if (typeof read === 'string') return { rows: [], refused: [{ row: 1, message: read }] };
  const refused: Refusal[] = [];
  const mapped = mappedBy(services);
  const beats = new Map<string, OtherResult[]>();
  for (const one of read.heartbeats) {
    const monitor = String(one.monitor_id ?? one.monitorID ?? '');
    const name = read.names.get(monitor);
    const service = mapped(monitor) ?? (name === undefined ? undefined : (mapped(name) ?? name)) ?? monitor;
    const [, day, time] = TIME.exec(one.time) ?? [];
    const atMs = Date.parse(`${day}T${time}Z`);
    const seen = SEEN[Number(one.status)];
    if (Number.isNaN(atMs)) refused.push({ row: one.row, message: `not a time of Uptime Kuma: "${one.time}"` });
    else if (seen === undefined) refused.push({ row: one.row, message: `not a status of Uptime Kuma: "${one.status}"` });
    else {
      const mine = beats.get(service) ?? [];
      mine.push({ row: one.row, atMs: atMs as EpochMs, seen, detail: (one.msg ?? '').slice(0, IMPORT_LIMITS.detailChars) });
      beats.set(service, mine);
    }
  }
  const rows = [...beats].flatMap(([service, mine]) => spansOfResults(service, mine, intervalMs));
  return { rows, refused };
}

type Read = { readonly heartbeats: readonly Heartbeat[]; readonly names: ReadonlyMap<string, string> };

function readJson(text: string): Read | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return `not JSON: ${String(thrown)}`;
  }
  const parsed = z.union([z.array(heartbeat), listing]).safeParse(value);
  if (!parsed.success) return 'neither a list of heartbeats nor an object with `heartbeatList`';
  if (Array.isArray(parsed.data)) return { heartbeats: numbered(parsed.data), names: new Map() };
  const { heartbeatList, monitorList = [] } = parsed.data;
  const beats = Array.isArray(heartbeatList)
    ? heartbeatList
    : Object.entries(heartbeatList).flatMap(([id, list]) => list.map((one) => ({ monitor_id: id, ...one })));
  const monitors = Array.isArray(monitorList)
    ? monitorList
    : Object.entries(monitorList).map(([id, one]) => ({ ...one, id: one.id ?? id }));
  return { heartbeats: numbered(beats), names: new Map(monitors.map(({ id, name }) => [String(id), name])) };
}

const numbered = (beats: readonly z.infer<typeof heartbeat>[]): readonly Heartbeat[] => beats.map((one, i) => ({ ...one, row: i + 1 }));

function readTable(text: string): Read | string {
  const parsed = parseCsv(text);
  if (!parsed.ok) return parsed.error;
  const [head, ...records] = parsed.value;
  const names = head?.fields ?? [];
  const missing = ['monitor_id', 'status', 'time'].find((name) => !names.includes(name));
  if (missing !== undefined) return `there is no column "${missing}"; export the table heartbeat with its head line`;
  const heartbeats = records.map(({ line, fields }): Heartbeat => {
    const field = (name: string): string => fields[names.indexOf(name)] ?? '';
    return { row: line, monitor_id: field('monitor_id'), status: field('status'), time: field('time'), msg: field('msg') };
  });
  return { heartbeats, names: new Map() };
}
