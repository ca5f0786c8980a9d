import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { RunDetail } from '../../host/commands.gen';
import { Badge, Empty, Failed, Num, State, Time, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';
import { setBaseline, useBaseline } from '../chart/baseline';
import { PLAIN, runsOf } from '../chart/spec';
import { Together } from '../chart/sync';
import { ChartView } from '../chart/view';
import { Threads } from '../comment/threads';
import { MakeVersion } from '../model/make';
import { Notes } from '../note/notes';
import { Files } from './files';
import { LineageOf } from './lineage';
import { Source } from './source';

const TABS = [
  ['overview', 'Overview'],
  ['metrics', 'Metrics'],
  ['parameters', 'Parameters and tags'],
  ['files', 'Files'],
  ['source', 'Source'],
  ['lineage', 'Lineage'],
  ['notes', 'Notes'],
] as const;

export function RunScreen() {
  const { run: id = '', tab = 'overview' } = useParams({ strict: false });
  const detail = useCommand('run.get', { run: id });
  const [making, make] = useState(false);
  const base = useBaseline()?.run.id;
  if (detail.error) return <Failed error={detail.error} />;
  if (!detail.data) return <Waiting lines={10} />;
  const { run, metrics, artifacts } = detail.data;
  const counts: Record<string, number> = { metrics: metrics.length, files: artifacts.length };
  return (
    <div className="page">
      <header className="row between">
        <div>
          <h1>{run.name}</h1>
          <p className="muted">
            {run.experiment_name} · {run.by.name} · <Time ms={run.start_ms} />
            {run.end_ms && run.end_ms > run.start_ms ? ` · took ${duration(run.end_ms - run.start_ms)}` : ''}
          </p>
        </div>
        <div className="row">
          <State state={run.status} />
          <button
            type="button"
            className="btn"
            aria-pressed={base === run.id}
            onClick={() => setBaseline(base === run.id ? '' : run.id)}
          >
            {base === run.id ? 'Is the baseline' : 'Use as baseline'}
          </button>
          {run.project && (
            <button type="button" className="btn primary" onClick={() => make(true)}>
              Make a model version
            </button>
          )}
        </div>
      </header>
      <nav className="tabs" aria-label="Parts of the run">
        {TABS.map(([key, label]) => (
          <Link
            key={key}
            to="/runs/$run/$tab"
            params={{ run: run.id, tab: key }}
            data-status={key === tab ? 'active' : undefined}
            aria-current={key === tab ? 'page' : undefined}
          >
            {label}
            {counts[key] ? ` (${counts[key].toLocaleString('en')})` : ''}
          </Link>
        ))}
      </nav>
      {tab === 'overview' && <Overview detail={detail.data} />}
      {tab === 'metrics' && <Metrics detail={detail.data} />}
      {tab === 'parameters' && (
        <div className="grid2">
          <Pairs title="Parameters" pairs={run.params} empty="The script logged no parameters." />
          <Pairs title="Tags" pairs={run.tags} empty="No tags." />
        </div>
      )}
      {tab === 'files' && <Files run={run.id} files={artifacts} />}
      {tab === 'source' && <Source run={run.id} />}
      {tab === 'lineage' && <LineageOf run={run} />}
      {tab === 'notes' && (
        <div className="stack wide">
          <Notes about={{ kind: 'run', id: run.id }} />
          <Threads about={{ kind: 'run', id: run.id }} />
        </div>
      )}
      {run.project && <MakeVersion open={making} onClose={() => make(false)} run={run} project={run.project} />}
    </div>
  );
}

/** "3 min 20 s". */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function Overview({ detail }: { detail: RunDetail }) {
  const { run, metrics, models, inputs } = detail;
  const curves = metrics.filter((m) => m.count > 1);
  return (
    <>
      {metrics.length === 0 && <Empty title="No metrics yet">They appear here as soon as the script logs them.</Empty>}
      {metrics.length > 0 && <MetricTable metrics={metrics.slice(0, 20)} />}
      {metrics.length > 20 && (
        <p className="muted">
          The first 20 of {metrics.length.toLocaleString('en')};{' '}
          <Link to="/runs/$run/$tab" params={{ run: run.id, tab: 'metrics' }}>
            see all metrics
          </Link>
          .
        </p>
      )}
      <Charts run={run.id} metrics={curves.slice(0, 6).map((m) => m.key)} />
      <div className="grid2">
        <Pairs title="Parameters" pairs={run.params} empty="The script logged no parameters." />
        <section className="card">
          <h2>Data and models</h2>
          {inputs.length + models.length === 0 && <p className="muted">The script logged neither data nor a model.</p>}
          <ul className="list">
            {inputs.map((i) => (
              <li key={i.name + i.digest}>
                Data: {i.name} <code>{i.digest}</code> {i.context && <Badge>{i.context}</Badge>}
              </li>
            ))}
            {models.map((m) => (
              <li key={m.id}>
                Model: {m.name}, {m.files} files {m.status === 'LOGGED_MODEL_READY' && <Badge tone="good">✓ Ready</Badge>}
              </li>
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

/** Charts that are drawn at once; more on request. */
const CHARTS = 12;

function Metrics({ detail }: { detail: RunDetail }) {
  const [wanted, want] = useState('');
  const [shown, show] = useState(CHARTS);
  const found = detail.metrics.filter((m) => m.key.toLowerCase().includes(wanted.trim().toLowerCase()));
  const curves = found.filter((m) => m.count > 1);
  if (detail.metrics.length === 0) return <Empty title="No metrics yet">They appear here as soon as the script logs them.</Empty>;
  return (
    <div className="stack">
      <input
        type="search"
        aria-label="Find a metric"
        placeholder="Find a metric, for example: loss"
        value={wanted}
        onChange={(e) => {
          want(e.target.value);
          show(CHARTS);
        }}
      />
      {found.length === 0 && <Empty title="No metric fits">Clear the search to see all of them.</Empty>}
      {found.length > 0 && <MetricTable metrics={found.slice(0, 200)} />}
      {found.length > 200 && (
        <p className="muted">The first 200 of {found.length.toLocaleString('en')}; search to see the others.</p>
      )}
      <Charts run={detail.run.id} metrics={curves.slice(0, shown).map((m) => m.key)} />
      {curves.length > shown && (
        <button type="button" className="btn" onClick={() => show(shown + CHARTS)}>
          Show more charts ({(curves.length - shown).toLocaleString('en')} left)
        </button>
      )}
    </div>
  );
}

function Charts({ run, metrics }: { run: string; metrics: string[] }) {
  if (metrics.length === 0) return null;
  return (
    <Together>
      <div className="charts">
        {metrics.map((key) => (
          <ChartView key={key} spec={{ ...PLAIN, title: key, metrics: [key] }} of={runsOf(run)} />
        ))}
      </div>
    </Together>
  );
}

function MetricTable({ metrics }: { metrics: RunDetail['metrics'] }) {
  return (
    <section className="card flush scroll" aria-label="Metrics" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Metric</th>
            <th className="num">Last</th>
            <th className="num">Lowest</th>
            <th className="num">Highest</th>
            <th className="num">Points</th>
          </tr>
        </thead>
        <tbody>
          {metrics.map((m) => (
            <tr key={m.key}>
              <td>
                <Term>{m.key}</Term>
              </td>
              <td className="num" data-metric={m.key}>
                <Num value={m.last} />
              </td>
              <td className="num">
                <Num value={m.min ?? undefined} />
              </td>
              <td className="num">
                <Num value={m.max ?? undefined} />
              </td>
              <td className="num">{m.count.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Pairs({ title, pairs, empty }: { title: string; pairs: { [key: string]: string | undefined }; empty: string }) {
  const all = Object.entries(pairs);
  return (
    <section className="card">
      <h2>{title}</h2>
      {all.length === 0 && <p className="muted">{empty}</p>}
      <table>
        <tbody>
          {all.map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td className="mono">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
