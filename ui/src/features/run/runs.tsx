import { Link, useNavigate } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { RunRow } from '../../host/commands.gen';
import { Empty, Failed, Num, Say, State, Term, Time, Waiting } from '../../parts/bits';
import { MetricChart } from './chart';

export function AllRuns() {
  return (
    <div className="page">
      <h1>Runs</h1>
      <HowToLog />
      <RunTable />
    </div>
  );
}

export function ProjectRuns({ project }: { project: string }) {
  const experiments = useCommand('experiment.list', {});
  const link = useAct('experiment.link');
  const mine = experiments.data?.filter((e) => e.project === project) ?? [];
  const free = experiments.data?.filter((e) => !e.project && e.runs > 0) ?? [];
  return (
    <div className="stack">
      {free.length > 0 && (
        <label className="row">
          <span>Runs of an experiment that belong to this project:</span>
          <select style={{ width: 'auto' }} value="" onChange={(e) => link.mutate({ experiment: e.target.value, project })}>
            <option value="">Add an experiment…</option>
            {free.map((e) => (
              <option key={e.id} value={e.id}>
                {e.name} ({e.runs} runs)
              </option>
            ))}
          </select>
        </label>
      )}
      <Failed error={link.error} />
      {mine.length === 0 && experiments.data ? <HowToLog /> : <RunTable project={project} />}
    </div>
  );
}

function HowToLog() {
  const app = useCommand('app.status', {});
  const url = app.data?.tracking;
  if (!url) return null;
  return (
    <Say>
      Point any training script here, and its runs appear while it trains: <code>export MLFLOW_TRACKING_URI={url}</code>
    </Say>
  );
}

function RunTable({ project }: { project?: string }) {
  const [filter, setFilter] = useState('');
  const [applied, apply] = useState('');
  const [order, setOrder] = useState('');
  const [picked, setPicked] = useState<string[]>([]);
  const runs = useCommand('run.list', { project, filter: applied || undefined, order_by: order || undefined });
  const columns = useMemo(() => columnsOf(runs.data ?? []), [runs.data]);
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const rows = runs.data ?? [];
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => 41,
    overscan: 12,
  });
  const seen = virtual.getVirtualItems();
  const above = seen[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (seen[seen.length - 1]?.end ?? 0);
  const sort = (field: string) => setOrder(order === `${field} DESC` ? `${field} ASC` : `${field} DESC`);
  const arrow = (field: string) =>
    order === `${field} DESC` ? (
      <ArrowDown size={12} aria-label="largest first" />
    ) : order === `${field} ASC` ? (
      <ArrowUp size={12} aria-label="smallest first" />
    ) : null;
  const charted = columns.metrics.slice(0, 4);
  return (
    <div className="stack">
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          apply(filter);
        }}
      >
        <input
          type="search"
          className="grow"
          style={{ width: 'auto' }}
          aria-label="Filter the runs"
          placeholder="Filter, for example: metrics.accuracy > 0.9 and params.model = 'forest'"
          value={filter}
          onChange={(e) => setFilter(e.target.value)}
        />
        <button type="submit" className="btn">
          Filter
        </button>
        <small className="muted">{rows.length.toLocaleString('en')} runs</small>
      </form>
      <Failed error={runs.error} />
      {!runs.data && !runs.error && <Waiting lines={8} />}
      {runs.data && rows.length === 0 && (
        <div className="card">
          {applied ? (
            <Empty title="No run fits the filter">Change the filter, or clear it to see all runs.</Empty>
          ) : (
            <Empty title="No runs yet">When a training script logs to this computer, its runs appear here while it trains.</Empty>
          )}
        </div>
      )}
      {rows.length > 0 && (
        <div className="card flush vtable" ref={box}>
          <table>
            <thead>
              <tr>
                <th>
                  <span className="sr">Compare</span>
                </th>
                <th>
                  <button type="button" onClick={() => sort('run_name')}>
                    Run {arrow('run_name')}
                  </button>
                </th>
                <th>State</th>
                <th>
                  <button type="button" onClick={() => sort('start_time')}>
                    Started {arrow('start_time')}
                  </button>
                </th>
                <th>By</th>
                {columns.metrics.map((m) => (
                  <th key={`m${m}`} className="num">
                    <button type="button" onClick={() => sort(`metrics.\`${m}\``)}>
                      <Term>{m}</Term> {arrow(`metrics.\`${m}\``)}
                    </button>
                  </th>
                ))}
                {columns.params.map((p) => (
                  <th key={`p${p}`}>{p}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {above > 0 && (
                <tr>
                  <td style={{ height: above, padding: 0 }} />
                </tr>
              )}
              {seen.map((item) => {
                const run = rows[item.index];
                if (!run) return null;
                return (
                  <tr
                    key={run.id}
                    className="pick"
                    onDoubleClick={() => void navigate({ to: '/runs/$run', params: { run: run.id } })}
                  >
                    <td>
                      <input
                        type="checkbox"
                        style={{ width: 18, height: 18 }}
                        aria-label={`Compare ${run.name}`}
                        checked={picked.includes(run.id)}
                        onChange={(e) => setPicked(e.target.checked ? [...picked, run.id] : picked.filter((x) => x !== run.id))}
                      />
                    </td>
                    <td>
                      <Link to="/runs/$run" params={{ run: run.id }}>
                        {run.name}
                      </Link>
                    </td>
                    <td>
                      <State state={run.status} />
                    </td>
                    <td>
                      <Time ms={run.start_ms} />
                    </td>
                    <td>{run.by.name}</td>
                    {columns.metrics.map((m) => (
                      <td key={`m${m}`} className="num">
                        <Num value={run.metrics[m]} />
                      </td>
                    ))}
                    {columns.params.map((p) => (
                      <td key={`p${p}`}>{run.params[p] ?? '–'}</td>
                    ))}
                  </tr>
                );
              })}
              {below > 0 && (
                <tr>
                  <td style={{ height: below, padding: 0 }} />
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
      {picked.length > 0 && (
        <section className="stack" aria-label="Comparison">
          <div className="row between">
            <h2>Comparing {picked.length === 1 ? 'one run' : `${picked.length} runs`}</h2>
            <button type="button" className="btn" onClick={() => setPicked([])}>
              Clear
            </button>
          </div>
          <div className="grid2" style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(min(440px, 100%), 1fr))' }}>
            {charted.map((m) => (
              <MetricChart key={m} metric={m} runs={picked} />
            ))}
          </div>
        </section>
      )}
    </div>
  );
}

/** Metrics that any run has; of the parameters only those that differ. */
export function columnsOf(runs: RunRow[]): { metrics: string[]; params: string[] } {
  const metrics = new Map<string, number>();
  const params = new Map<string, Set<string>>();
  for (const run of runs) {
    for (const key of Object.keys(run.metrics)) metrics.set(key, (metrics.get(key) ?? 0) + 1);
    for (const [key, value] of Object.entries(run.params)) {
      if (value !== undefined) params.set(key, (params.get(key) ?? new Set()).add(value));
    }
  }
  const often = [...metrics].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([key]) => key);
  const differ = [...params].filter(([, values]) => values.size > 1).map(([key]) => key);
  return { metrics: often.slice(0, 8), params: differ.sort().slice(0, 8) };
}
