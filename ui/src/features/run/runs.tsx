import { Link, useSearch } from '@tanstack/react-router';
import { useAct, useCommand } from '../../host/cache';
import { Failed, Say } from '../../parts/bits';
import { ChartPage } from '../chart/page';
import { Sources } from './sources';
import { useTableState } from './state';
import { RunTable } from './table';

export function AllRuns() {
  return (
    <div className="page">
      <h1>Runs</h1>
      <HowToLog />
      <Runs />
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
      {mine.length === 0 && experiments.data ? <HowToLog /> : <Runs project={project} />}
    </div>
  );
}

/** The same runs as a table or as charts; the address says which. */
function Runs({ project }: { project?: string }) {
  const search: { as?: string; filter?: string; order?: string; group?: string } = useSearch({ strict: false });
  const [state, change] = useTableState(project ?? 'all');
  const charts = search.as === 'charts';
  const way = (as: string | undefined, label: string) => (
    <Link
      to="."
      search={{ filter: search.filter, order: search.order, group: search.group, as } as never}
      activeOptions={{ exact: true, includeSearch: true }}
      aria-current={search.as === as ? 'page' : undefined}
    >
      {label}
    </Link>
  );
  return (
    <>
      <nav className="tabs" aria-label="Ways to look at runs">
        {way(undefined, 'Table')}
        {way('charts', 'Charts')}
      </nav>
      {charts && state.filter && (
        <p className="row small">
          Only runs where <code>{state.filter}</code>
          <button type="button" className="btn" onClick={() => change({ filter: '' })}>
            Show all
          </button>
        </p>
      )}
      {charts ? <ChartPage project={project} filter={state.filter} /> : <RunTable project={project} />}
    </>
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
