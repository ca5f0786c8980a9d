import { useNavigate } from '@tanstack/react-router';
import { MoreHorizontal } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ChartAxis, ChartFormat, ChartSpec, DrawChart, RunSet, ValueTable } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { useTheme } from '../../parts/theme';
import { useToast } from '../../parts/toast';
import { setBaseline, useBaseline } from './baseline';
import { keyOf, Legend } from './legend';
import { Parallel } from './parallel';
import { Pictures } from './pictures';
import { PinDialog, Pins } from './pins';
import { Plot } from './plot';
import { bounded, KINDS } from './spec';
import { useShared } from './sync';
import { useTurn } from './turns';

interface Props {
  spec: ChartSpec;
  of: RunSet;
  height?: number;
  /** What else can be done with it. */
  menu?: { label: string; run: () => void }[];
  /** Heading level, to fit the page around. */
  level?: 2 | 3;
  legend?: boolean;
  /** What choosing a baseline does; it is chosen for all pages when left out. */
  measure?: (run: string) => void;
}

/** How wide an element is, and whether it is near to what is seen. */
function useSeen(element: React.RefObject<HTMLElement | null>): [number, boolean] {
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    // Rounded: a chart is not drawn anew for each pixel that somebody drags a window.
    const measure = () => setWidth(Math.max(160, Math.floor(target.clientWidth / 8) * 8));
    measure();
    const sizes = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(measure);
    sizes?.observe(target);
    const views =
      typeof IntersectionObserver === 'undefined'
        ? null
        : new IntersectionObserver((all) => setSeen(all.some((e) => e.isIntersecting)), { rootMargin: '500px' });
    if (views) views.observe(target);
    else setSeen(true);
    return () => {
      sizes?.disconnect();
      views?.disconnect();
    };
  }, [element]);
  return [width, seen];
}

/** A chart with all that one does to it: read, zoom, hide, save, see as a table. */
export function ChartView({ spec: asked, of, height = 260, menu = [], level = 2, legend = true, measure = setBaseline }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, seen] = useSeen(box);
  const base = useBaseline()?.run.id ?? '';
  const spec = asked.baseline === '' && base !== '' ? { ...asked, baseline: base } : asked;
  const [zoomed, setTall] = useState<{ axis: string; part: [number, number] } | null>(null);
  // A part of y is about one axis: another metric, kind or scale is looked at whole.
  const upright = `${asked.kind}/${asked.metrics.join(',')}/${asked.y}/${asked.log_y}`;
  const tall = zoomed?.axis === upright ? zoomed.part : null;
  const whole = useRef<{ label: string; axis: ChartAxis } | null>(null);
  const [shared, share] = useShared();
  const [awake, setAwake] = useState(false);
  const [tabled, setTabled] = useState(false);
  const [pinning, pin] = useState<{ run: string; step: number } | null>(null);
  const dark = useTheme() === 'dark';
  const navigate = useNavigate();
  const toast = useToast();
  const fetch = useAct('run.fetch_points');
  const save = useAct('chart.export');
  const along = useRef('');
  const mine = shared.along !== '' && shared.along === along.current;
  const view = mine ? shared.view : null;
  const request: DrawChart = { spec, of, width: width || 480, height, dark, view: view ?? undefined, view_y: tall ?? undefined };
  const chart = useCommand('chart.draw', request, { enabled: seen && width > 0 });
  const needs = spec.kind === 'images' || spec.kind === 'table' || tabled || (awake && spec.kind === 'lines');
  const values = useCommand('chart.values', request, { enabled: seen && width > 0 && needs });
  const drawn = useTurn(chart.data);
  if (drawn) along.current = drawn.x.label;
  if (drawn && !view) whole.current = { label: drawn.x.label, axis: drawn.x };
  const look = (next: [number, number] | null, high?: [number, number] | null) => {
    if (high === null) setTall(null);
    else if (high?.every(Number.isFinite)) setTall({ axis: upright, part: high });
    if (!drawn) return;
    const known = whole.current?.label === drawn.x.label ? whole.current.axis : null;
    share({ view: next && known ? bounded(known, next) : next, along: drawn.x.label });
  };
  // Points stand for themselves; a legend of each would be a list of runs.
  const pointwise = ['scatter', 'contour', 'importance', 'correlation', 'histogram'].includes(spec.kind);
  const Heading = level === 2 ? 'h2' : 'h3';
  const title = drawn?.title ?? (spec.title || spec.metrics[0] || KINDS[spec.kind][0]);
  // A remark stands at a step of one metric of one run.
  const pinned =
    spec.kind === 'lines' &&
    (spec.x === '' || spec.x === 'step') &&
    spec.metrics.length === 1 &&
    spec.group.every((g) => g === '');
  const open = (run: string) => void navigate({ to: '/runs/$run', params: { run } });
  const compare = (runs: string[]) => void navigate({ to: '/compare', search: { runs: runs.slice(0, 300).join(',') } as never });
  const keep = (format: ChartFormat) =>
    save.mutate({ chart: request, format }, { onSuccess: (done) => toast(`Saved as ${done.path}`) });
  const get = async () => {
    for (const run of new Set(drawn?.series.flatMap((s) => s.runs) ?? [])) await fetch.mutateAsync({ run });
  };
  return (
    <figure className="card chart-card" aria-busy={chart.isFetching}>
      <div className="row between nowrap">
        <Heading>{title}</Heading>
        <div className="row tight">
          {(view || tall) && (
            <button type="button" className="btn" onClick={() => look(null, null)}>
              Show all
            </button>
          )}
          <details className="menu">
            <summary aria-label={`What can be done with ${title}`}>
              <MoreHorizontal size={16} aria-hidden />
            </summary>
            <div>
              {menu.map((item) => (
                <button key={item.label} type="button" onClick={item.run}>
                  {item.label}
                </button>
              ))}
              {drawn && pinned && (
                <button
                  type="button"
                  onClick={() => pin({ run: drawn.series[0]?.runs[0] ?? '', step: Math.round((drawn.x.from + drawn.x.to) / 2) })}
                >
                  Pin a remark…
                </button>
              )}
              {drawn?.svg && (
                <>
                  <button type="button" onClick={() => keep('png')}>
                    Save as picture (PNG)
                  </button>
                  <button type="button" onClick={() => keep('svg')}>
                    Save as drawing (SVG)
                  </button>
                  <button type="button" onClick={() => keep('pdf')}>
                    Save as page (PDF)
                  </button>
                </>
              )}
              <button type="button" onClick={() => keep('csv')}>
                Save all numbers (CSV)
              </button>
            </div>
          </details>
        </div>
      </div>
      <div
        ref={box}
        style={{ minHeight: spec.kind === 'images' || spec.kind === 'table' ? undefined : height }}
        className="chart"
      >
        {chart.error && !drawn && <Failed error={chart.error} />}
        {drawn?.svg && spec.kind === 'parallel' && <Parallel chart={drawn} chosen={compare} />}
        {drawn?.svg && spec.kind !== 'parallel' && (
          <Plot
            chart={drawn}
            values={spec.kind === 'lines' ? values.data : undefined}
            shared={shared}
            mine={mine}
            share={share}
            look={look}
            tall={tall}
            measure={measure}
            wake={() => setAwake(true)}
            open={open}
            onPin={pinned ? (run, step) => pin({ run, step }) : undefined}
          >
            {pinned && <Pins chart={drawn} metric={spec.metrics[0] ?? ''} />}
          </Plot>
        )}
        {spec.kind === 'images' && drawn && <Pictures values={values.data} />}
        {spec.kind === 'table' && values.data && <Numbers table={values.data.table} height={height} />}
      </div>
      {drawn && legend && spec.kind !== 'parallel' && spec.kind !== 'table' && spec.kind !== 'images' && (
        <Legend
          series={drawn.legend.length > 0 ? drawn.legend : pointwise ? [] : drawn.series}
          members={
            drawn.legend.length > 0
              ? (entry) => drawn.series.filter((s) => entry.runs.includes(s.runs[0] ?? '')).map(keyOf)
              : undefined
          }
          hidden={shared.hidden}
          lit={shared.run}
          light={(run) => share({ run })}
          hide={(hidden) => share({ hidden })}
        />
      )}
      {drawn && (
        <figcaption className="small muted">
          {drawn.summary}
          {spec.kind === 'lines' &&
            ` Drawn from ${drawn.points.toLocaleString('en')} ${drawn.points === 1 ? 'point' : 'points'}${drawn.complete ? '.' : '; not all of them are on this computer yet.'}`}
        </figcaption>
      )}
      {drawn?.notes.map((note) => (
        <p key={note} className="small muted">
          {note}
        </p>
      ))}
      {drawn && !drawn.complete && (
        <div className="row small">
          <button type="button" className="btn" disabled={fetch.isPending} onClick={() => void get().catch(() => undefined)}>
            {fetch.isPending ? 'Getting all points…' : 'Get all points'}
          </button>
          {fetch.data && fetch.data.gone > 0 && <span className="muted">The shared place does not keep them any more.</span>}
        </div>
      )}
      <Failed error={fetch.error ?? save.error} />
      {pinning && drawn && (
        <PinDialog chart={drawn} run={pinning.run} metric={spec.metrics[0] ?? ''} step={pinning.step} onClose={() => pin(null)} />
      )}
      {drawn && spec.kind !== 'table' && (
        <details className="small" onToggle={(e) => setTabled(e.currentTarget.open)}>
          <summary>The numbers as a table</summary>
          {tabled && values.data && <Numbers table={values.data.table} height={height} />}
        </details>
      )}
    </figure>
  );
}

/** The data of a chart as a table. */
function Numbers({ table, height }: { table: ValueTable; height: number }) {
  return (
    <>
      <section className="scroll" style={{ maxHeight: height }} tabIndex={0} aria-label="The numbers as a table">
        <table>
          <thead>
            <tr>
              {table.head.map((h) => (
                <th key={h}>{h}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, c) => (
                  <td key={table.head[c] ?? c} className={cell !== '' && !Number.isNaN(Number(cell)) ? 'num' : undefined}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {table.more > 0 && <p className="muted">and {table.more.toLocaleString('en')} more; a saved CSV has all.</p>}
    </>
  );
}
