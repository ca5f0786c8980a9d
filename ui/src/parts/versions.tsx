import type { ReactNode } from 'react';
import { Say, Time } from './bits';

interface Version {
  op: string;
  value: string;
  by: { name: string };
  at_ms: number;
}

/** Two people changed one text without knowing of each other: both are shown, one is kept by a click. */
export function BothChanged({
  versions,
  keep,
  show,
}: {
  versions: Version[];
  keep: (value: string) => void;
  show?: (value: string) => ReactNode;
}) {
  if (versions.length < 2) return null;
  return (
    <Say tone="warn">
      <strong>Both changed.</strong> Nothing is lost: choose which text stays.
      <div className="stack" style={{ marginTop: 8 }}>
        {versions.map((v) => (
          <div key={v.op} className="card">
            <small className="muted">
              {v.by.name}, <Time ms={v.at_ms} />
            </small>
            <div className="prose">{show ? show(v.value) : v.value}</div>
            <button type="button" className="btn" onClick={() => keep(v.value)}>
              Keep this one
            </button>
          </div>
        ))}
      </div>
    </Say>
  );
}
