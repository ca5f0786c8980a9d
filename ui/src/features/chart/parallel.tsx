import { useEffect, useMemo, useRef, useState } from 'react';
import type { Chart } from '../../host/commands.gen';
import { Html } from '../../parts/html';
import { apart, Labels } from './labels';

type Range = [number, number];

/** Parallel coordinates with a brush on each axis: what lies outside of one fades. */
export function Parallel({ chart, chosen }: { chart: Chart; chosen?: (runs: string[]) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [brushes, setBrushes] = useState<Record<number, Range>>({});
  const [drag, setDrag] = useState<{ column: number; from: number } | null>(null);
  const { art, labels } = useMemo(() => apart(chart.svg), [chart.svg]);
  const [, top = 0, , bottom = 0] = chart.area;
  // The axes end a little inside of the plot, so that their names have room.
  const edge = 0.08 / 1.16;
  const height = (bottom - top) * (1 - 2 * edge);
  const start = top + (bottom - top) * edge;
  const inside = (i: number) =>
    Object.entries(brushes).every(([c, [low, high]]) => {
      const at = chart.columns[Number(c)]?.at[i];
      return typeof at === 'number' && at >= low && at <= high;
    });
  const left = chart.series.filter((_, i) => inside(i));
  const active = Object.keys(brushes).length > 0;
  useEffect(() => {
    for (const group of box.current?.querySelectorAll<SVGGElement>('g[data-i]') ?? [])
      group.toggleAttribute('data-dim', active && !inside(Number(group.dataset.i)));
  });
  const set = (column: number, range: Range | null) => {
    const next = { ...brushes };
    if (range) next[column] = range;
    else delete next[column];
    setBrushes(next);
  };
  const place = (clientY: number) => {
    const rect = box.current?.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (clientY - (rect?.top ?? 0) - start) / height));
  };
  return (
    <div>
      <div className="plot" ref={box}>
        <Html html={art} />
        <Labels labels={labels} />
        {chart.columns.map((column, c) => {
          const range = brushes[c];
          return (
            <div
              key={column.name}
              className="axis-brush"
              role="slider"
              tabIndex={0}
              aria-label={`${column.name}: choose a part with the up and down keys, wider with Shift, all with Escape`}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.round((range ? (range[0] + range[1]) / 2 : 0.5) * 100)}
              aria-valuetext={range ? `${Math.round(range[0] * 100)} to ${Math.round(range[1] * 100)} % of the axis` : 'all'}
              style={{ left: column.x - 12, top: start, height }}
              onPointerDown={(e) => {
                e.currentTarget.setPointerCapture(e.pointerId);
                setDrag({ column: c, from: place(e.clientY) });
              }}
              onPointerMove={(e) => {
                if (drag?.column !== c) return;
                const to = place(e.clientY);
                set(c, [Math.min(drag.from, to), Math.max(drag.from, to)]);
              }}
              onPointerUp={() => {
                if (range && range[1] - range[0] < 0.01) set(c, null);
                setDrag(null);
              }}
              onKeyDown={(e) => {
                if (!['ArrowUp', 'ArrowDown', 'Escape'].includes(e.key)) return;
                e.preventDefault();
                e.stopPropagation();
                if (e.key === 'Escape') return set(c, null);
                const by = e.key === 'ArrowUp' ? 0.05 : -0.05;
                const [low, high] = range ?? [0.4, 0.6];
                const next: Range = e.shiftKey ? [low - by / 2, high + by / 2] : [low + by, high + by];
                set(c, [Math.max(0, next[0]), Math.min(1, Math.max(next[1], next[0] + 0.02))]);
              }}
            >
              {range && (
                <div
                  className="brush"
                  style={{ bottom: `${range[0] * 100}%`, height: `${(range[1] - range[0]) * 100}%`, width: '100%' }}
                />
              )}
            </div>
          );
        })}
      </div>
      {active && (
        <div className="row small">
          <span role="status">
            {left.length.toLocaleString('en')} of {chart.series.length.toLocaleString('en')} runs go through
          </span>
          <button type="button" className="btn" onClick={() => setBrushes({})}>
            Show all
          </button>
          {chosen && left.length > 0 && (
            <button type="button" className="btn" onClick={() => chosen(left.flatMap((s) => s.runs))}>
              Compare these
            </button>
          )}
        </div>
      )}
    </div>
  );
}
