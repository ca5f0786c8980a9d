import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { ChartValues } from '../../host/commands.gen';
import { Waiting } from '../../parts/bits';

/** Logged pictures, one column a run, with one slider over their steps. */
export function Pictures({ values }: { values: ChartValues | undefined }) {
  const [at, setAt] = useState(1e9);
  if (!values) return <Waiting lines={6} />;
  const steps = [...new Set(values.table.rows.map((row) => Number(row[3])))].sort((a, b) => a - b);
  const place = Math.min(at, steps.length - 1);
  const step = steps[place] ?? 0;
  // The newest picture up to the step: not every run logs at each.
  const shown = new Map<string, string[]>();
  for (const row of values.table.rows) if (Number(row[3]) <= step) shown.set(`${row[1]}/${row[2]}`, row);
  return (
    <div className="stack">
      {steps.length > 1 && (
        <label className="row small">
          Step {step.toLocaleString('en')}
          <input
            className="grow"
            type="range"
            min={0}
            max={steps.length - 1}
            value={place}
            aria-valuetext={`step ${step}`}
            onChange={(e) => setAt(Number(e.target.value))}
          />
        </label>
      )}
      <div className="pictures">
        {[...shown.values()].map((row) => (
          <Picture
            key={`${row[1]}/${row[2]}`}
            run={row[1] ?? ''}
            path={row[4] ?? ''}
            label={`${row[0]}, ${row[2]}, step ${row[3]}`}
          />
        ))}
      </div>
    </div>
  );
}

function Picture({ run, path, label }: { run: string; path: string; label: string }) {
  const file = useCommand('file.view', { path, owner: { kind: 'run', id: run }, fetch: false });
  const view = file.data?.view;
  return (
    <figure>
      {view && 'data_url' in view ? (
        <img src={view.data_url} alt={label} />
      ) : (
        <div className="muted small">{file.error?.message ?? 'Not on this computer yet'}</div>
      )}
      <figcaption className="small muted">{label}</figcaption>
    </figure>
  );
}
