import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { RunRow } from '../../host/commands.gen';

/** The columns of a table of runs, beside those that every table has. */
export interface Chosen {
  metrics: string[];
  params: string[];
  tags: string[];
}

/** All that a view of a table keeps. */
export interface TableState {
  filter: string;
  order: string;
  group: string;
  /** Null: what tells something. */
  columns: Chosen | null;
  /** Widths that somebody gave to columns, in pixels. */
  widths: Record<string, number>;
  /** Runs that stay on top. */
  pinned: string[];
}

export const PLAIN: TableState = { filter: '', order: '', group: '', columns: null, widths: {}, pinned: [] };

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : []);

/** Reads what was kept, here or by a colleague's later program; what does not fit is left out. */
export function readState(raw: unknown): TableState {
  if (typeof raw !== 'object' || raw === null) return PLAIN;
  const kept = raw as Record<string, unknown>;
  const text = (key: string) => (typeof kept[key] === 'string' ? (kept[key] as string) : '');
  const columns = kept.columns as Record<string, unknown> | null | undefined;
  const widths: Record<string, number> = {};
  if (typeof kept.widths === 'object' && kept.widths !== null)
    for (const [key, width] of Object.entries(kept.widths))
      if (typeof width === 'number' && width >= 40 && width <= 1000) widths[key] = width;
  return {
    filter: text('filter'),
    order: text('order'),
    group: text('group'),
    columns: columns ? { metrics: texts(columns.metrics), params: texts(columns.params), tags: texts(columns.tags) } : null,
    widths,
    pinned: texts(kept.pinned).slice(0, 50),
  };
}

/** What the address of the page says: a link to it shows the same runs. */
interface Address {
  filter?: string;
  order?: string;
  group?: string;
  /** `charts`: the runs as charts. */
  as?: string;
}

/** The state of one table: filter, order and grouping in the address, the rest kept on this computer. */
export function useTableState(scope: string): [TableState, (next: Partial<TableState>) => void] {
  const name = `table.${scope}`;
  const [kept, keep] = useState<TableState>(() => {
    try {
      return readState(JSON.parse(localStorage.getItem(name) ?? 'null'));
    } catch {
      return PLAIN;
    }
  });
  const address: Address = useSearch({ strict: false });
  const navigate = useNavigate();
  const state: TableState = { ...kept, filter: address.filter ?? '', order: address.order ?? '', group: address.group ?? '' };
  const change = (next: Partial<TableState>) => {
    const whole = { ...state, ...next };
    const { columns, widths, pinned } = whole;
    keep({ ...PLAIN, columns, widths, pinned });
    localStorage.setItem(name, JSON.stringify({ columns, widths, pinned }));
    if ('filter' in next || 'order' in next || 'group' in next) {
      const search: Address = {
        filter: whole.filter || undefined,
        order: whole.order || undefined,
        group: whole.group || undefined,
      };
      void navigate({ to: '.', search: { ...search, as: address.as } as never, replace: true });
    }
  };
  return [state, change];
}

export interface KnownColumns extends Chosen {
  allMetrics: string[];
  allParams: string[];
  allTags: string[];
}

/** Metrics that any run has; of the parameters only those that differ. And all that there are, to choose from. */
export function columnsOf(runs: RunRow[]): KnownColumns {
  const metrics = new Map<string, number>();
  const params = new Map<string, Set<string>>();
  const tags = new Set<string>();
  for (const run of runs) {
    for (const key of Object.keys(run.metrics)) metrics.set(key, (metrics.get(key) ?? 0) + 1);
    for (const [key, value] of Object.entries(run.params)) {
      if (value !== undefined) params.set(key, (params.get(key) ?? new Set()).add(value));
    }
    for (const key of Object.keys(run.tags)) if (!key.startsWith('mlflow.')) tags.add(key);
  }
  const often = [...metrics].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([key]) => key);
  const differ = [...params].filter(([, values]) => values.size > 1).map(([key]) => key);
  return {
    metrics: often.slice(0, 8),
    params: differ.sort().slice(0, 8),
    tags: [],
    allMetrics: [...often].sort(),
    allParams: [...params.keys()].sort(),
    allTags: [...tags].sort(),
  };
}

/** Both conditions at once. */
export function both(a: string, b: string): string {
  if (!a.trim()) return b;
  return b.trim() ? `(${a}) AND (${b})` : a;
}
