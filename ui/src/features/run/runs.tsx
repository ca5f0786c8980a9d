import { useAct, useCommand } from '../../host/cache';
import { Failed, Say } from '../../parts/bits';
import { Sources } from './sources';
import { RunTable } from './table';

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
