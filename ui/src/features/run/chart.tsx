import { useRef, useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Chart as ChartData } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { Html } from '../../parts/html';
import { useTheme } from '../../parts/theme';

/** A metric drawn by plotters, with a crosshair over it and its data as a table below. */
export function MetricChart({ metric, runs, height = 240 }: { metric: string; runs: string[]; height?: number }) {
  const dark = useTheme() === 'dark';
  const chart = useCommand('run.chart', { metric, runs, width: 500, height, dark });
  const fetch = useAct('run.fetch_points');
  const get = async () => {
    for (const run of runs) await fetch.mutateAsync({ run });
  };
  if (chart.error) return <Failed error={chart.error} />;
  return (
    <figure className="card chart-card">
      <h2>{metric}</h2>
      <div style={{ minHeight: height }}>{chart.data && <Drawn chart={chart.data} height={height} />}</div>
      {chart.data && !chart.data.complete && (
        <div className="row small">
          <button type="button" className="btn" disabled={fetch.isPending} onClick={() => void get().catch(() => undefined)}>
            {fetch.isPending ? 'Getting all points…' : 'Get all points'}
          </button>
          {fetch.data && fetch.data.gone > 0 && <span className="muted">The shared place does not keep them any more.</span>}
        </div>
      )}
      <Failed error={fetch.error} />
    </figure>
  );
}

function Drawn({ chart, height }: { chart: ChartData; height: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const [left = 0, top = 0, right = 0, bottom = 0] = chart.area;
  const [x0 = 0, x1 = 1] = chart.x_range;
  const scale = (box.current?.clientWidth ?? 500) / 500;
  const near = chart.series.map((s) => {
    if (at === null) return null;
    let best: string[] | null = null;
    for (const p of s.points) if (!best || Math.abs(Number(p[0]) - at) < Math.abs(Number(best[0]) - at)) best = p;
    return best ? { name: s.name, step: best[0] ?? '', value: best[1] ?? '' } : null;
  });
  const step = near.find(Boolean)?.step;
  const x = step === undefined ? 0 : (left + ((Number(step) - x0) / (x1 - x0 || 1)) * (right - left)) * scale;
  return (
    <>
      <div
        className="chart"
        ref={box}
        onPointerMove={(e) => {
          const rect = e.currentTarget.getBoundingClientRect();
          const px = (e.clientX - rect.left) / scale;
          setAt(px < left || px > right ? null : x0 + ((px - left) / (right - left || 1)) * (x1 - x0));
        }}
        onPointerLeave={() => setAt(null)}
      >
        <Html html={chart.svg} />
        {step !== undefined && at !== null && (
          <>
            <div className="cross" style={{ left: x, top: top * scale, height: (bottom - top) * scale }} />
            <div
              className="tip"
              style={x > 300 * scale ? { right: 500 * scale - x + 8, top: top * scale } : { left: x + 8, top: top * scale }}
            >
              <div className="muted">step {step}</div>
              {near
                .slice(0, 8)
                .map((n) => n && <div key={n.name}>{chart.series.length > 1 ? `${n.name}: ${n.value}` : n.value}</div>)}
            </div>
          </>
        )}
      </div>
      <figcaption className="small muted">
        {chart.summary} Drawn: {chart.drawn.toLocaleString('en')} of {chart.points.toLocaleString('en')} points
        {chart.complete ? '.' : '; the rest is not on this computer yet.'}
      </figcaption>
      <details className="small">
        <summary>The numbers as a table</summary>
        <section className="scroll" style={{ maxHeight: height }} tabIndex={0} aria-label="The numbers as a table">
          <table>
            <thead>
              <tr>
                <th>Run</th>
                <th className="num">Step</th>
                <th className="num">Value</th>
              </tr>
            </thead>
            <tbody>
              {chart.series.flatMap((s) =>
                s.points.map((p) => (
                  <tr key={`${s.run}/${p[0]}`}>
                    <td>{s.name}</td>
                    <td className="num">{p[0]}</td>
                    <td className="num">{p[1]}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </section>
      </details>
    </>
  );
}
