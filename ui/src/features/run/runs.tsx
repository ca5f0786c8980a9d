import { Link, useNavigate } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useAct, useCommand, useCommands } from '../../host/cache';
import type { RunRow } from '../../host/commands.gen';
import { Empty, Failed, Num, Say, State, Term, Time, Waiting } from '../../parts/bits';
import { MetricChart } from './chart';
import { Sources } from './sources';

export function AllRuns() {
  return (
    <div className="page">
      <h1>Runs</h1>
      <HowToLog />
      <RunTable />
      <Sources />
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

/** Rows are fetched by the hundred, where somebody looks: a table of a hundred thousand opens as fast as one of ten. */
const PAGE = 100;

function RunTable({ project }: { project?: string }) {
  const [filter, setFilter] = useState('');
  const [applied, apply] = useState('');
  const [order, setOrder] = useState('');
  const [picked, setPicked] = useState<string[]>([]);
  const [choosing, setChoosing] = useState(false);
  const request = { project, filter: applied || undefined, order_by: order || undefined, limit: PAGE };
  const first = useCommand('run.page', { ...request, offset: 0 });
  const total = first.data?.total ?? 0;
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => box.current,
    estimateSize: () => 41,
    overscan: 12,
  });
  const looked = virtual.getVirtualItems();
  const pages = [...new Set(looked.map((item) => Math.floor(item.index / PAGE)))].filter((page) => page > 0);
  const more = useCommands(
    'run.page',
    pages.map((page) => ({ ...request, offset: page * PAGE })),
  );
  const rowAt = (index: number): RunRow | undefined => {
    const page = Math.floor(index / PAGE);
    const rows = page === 0 ? first.data?.rows : more[pages.indexOf(page)]?.data?.rows;
    return rows?.[index % PAGE];
  };
  const known = useMemo(() => columnsOf(first.data?.rows ?? []), [first.data]);
  const { columns, choose, reset } = useColumns(project ?? 'all', known);
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
        <button type="button" className="btn" aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>
          Columns
        </button>
        <small className="muted">{total.toLocaleString('en')} runs</small>
      </form>
      {choosing && <Columns known={known} columns={columns} choose={choose} reset={reset} />}
      <Failed error={first.error} />
      {!first.data && !first.error && <Waiting lines={8} />}
      {first.data && total === 0 && (
        <div className="card">
          {applied ? (
            <Empty title="No run fits the filter">Change the filter, or clear it to see all runs.</Empty>
          ) : (
            <Empty title="No runs yet">When a training script logs to this computer, its runs appear here while it trains.</Empty>
          )}
        </div>
      )}
      {total > 0 && (
        <section className="card flush vtable" ref={box} tabIndex={0} aria-label="Runs">
          <table aria-rowcount={total}>
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
                const run = rowAt(item.index);
                if (!run) {
                  return (
                    <tr key={item.index} aria-rowindex={item.index + 1} style={{ height: 41 }}>
                      <td colSpan={5 + columns.metrics.length + columns.params.length} className="muted">
                        …
                      </td>
                    </tr>
                  );
                }
                return (
                  <tr
                    key={run.id}
                    aria-rowindex={item.index + 1}
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
        </section>
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

interface Chosen {
  metrics: string[];
  params: string[];
}

interface KnownColumns extends Chosen {
  allMetrics: string[];
  allParams: string[];
}

/** The columns that somebody chose for this table on this computer; else those that tell something. */
function useColumns(scope: string, known: KnownColumns) {
  const name = `columns.${scope}`;
  const [chosen, setChosen] = useState<Chosen | null>(() => {
    try {
      return JSON.parse(localStorage.getItem(name) ?? 'null');
    } catch {
      return null;
    }
  });
  const keep = (next: Chosen | null) => {
    setChosen(next);
    if (next) localStorage.setItem(name, JSON.stringify(next));
    else localStorage.removeItem(name);
  };
  const columns: Chosen = chosen ?? known;
  const choose = (kind: keyof Chosen, key: string, shown: boolean) =>
    keep({ ...columns, [kind]: shown ? [...columns[kind], key] : columns[kind].filter((k) => k !== key) });
  return { columns: { metrics: columns.metrics, params: columns.params }, choose, reset: () => keep(null) };
}

function Columns(props: {
  known: KnownColumns;
  columns: Chosen;
  choose: (kind: keyof Chosen, key: string, shown: boolean) => void;
  reset: () => void;
}) {
  const { known, columns, choose, reset } = props;
  const group = (kind: keyof Chosen, label: string, all: string[]) => (
    <fieldset className="stack" style={{ maxHeight: 240, overflow: 'auto' }}>
      <legend>{label}</legend>
      {all.length === 0 && <span className="muted">None yet</span>}
      {all.map((key) => (
        <label key={key} className="check">
          <input type="checkbox" checked={columns[kind].includes(key)} onChange={(e) => choose(kind, key, e.target.checked)} />
          {key}
        </label>
      ))}
    </fieldset>
  );
  return (
    <section className="card stack" aria-label="Columns of the table">
      <div className="grid2">
        {group('metrics', 'Metrics', known.allMetrics)}
        {group('params', 'Parameters', known.allParams)}
      </div>
      <div className="row">
        <button type="button" className="btn" onClick={reset}>
          Show what differs
        </button>
      </div>
    </section>
  );
}

/** Metrics that any run has; of the parameters only those that differ. And all that there are, to choose from. */
export function columnsOf(runs: RunRow[]): KnownColumns {
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
  return {
    metrics: often.slice(0, 8),
    params: differ.sort().slice(0, 8),
    allMetrics: [...often].sort(),
    allParams: [...params.keys()].sort(),
  };
}
