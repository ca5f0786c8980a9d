import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { TrailEntry, TrailQuery } from '../../host/commands.gen';
import { Badge, Empty, Failed, Say, Time, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';

export function AuditScreen() {
  const [text, setText] = useState('');
  const [asked, ask] = useState('');
  const [tracking, setTracking] = useState(false);
  const [problems, setProblems] = useState(false);
  return (
    <div className="page">
      <div className="row between">
        <h1>
          <Term>Audit trail</Term>
        </h1>
      </div>
      <p className="muted">Who did what, when, in which role and why. Nothing here can be changed or taken away.</p>
      <Export />
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          ask(text);
        }}
      >
        <input
          type="search"
          className="grow"
          style={{ width: 'auto' }}
          aria-label="Search the trail"
          placeholder="Search the trail"
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <button type="submit" className="btn">
          Search
        </button>
        <label className="check">
          <input type="checkbox" checked={tracking} onChange={(e) => setTracking(e.target.checked)} /> Also what scripts logged
        </label>
        <label className="check">
          <input type="checkbox" checked={problems} onChange={(e) => setProblems(e.target.checked)} /> Only what does not count
        </label>
      </form>
      <Trail query={{ text: asked || undefined, tracking, problems, offset: 0 }} />
    </div>
  );
}

function Export() {
  const run = useAct('audit.export');
  const [dir, setDir] = useState('');
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <div>
        <button type="button" className="btn" onClick={() => setOpen(true)}>
          Export for an auditor…
        </button>
      </div>
    );
  }
  return (
    <form
      className="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        run.mutate({ dir });
      }}
    >
      <label className="field">
        New folder for the export
        <input type="text" value={dir} onChange={(e) => setDir(e.target.value)} required placeholder="/home/you/audit-2026" />
        <span className="hint">
          It will hold the trail as a table, every signature, and a page that tells how anyone can check them.
        </span>
      </label>
      <Failed error={run.error} />
      {run.data && (
        <Say tone="good">
          {run.data.entries.toLocaleString('en')} entries and {run.data.signoffs} signatures are in {run.data.dir}. VERIFY.md
          there tells how to check them.
        </Say>
      )}
      <div className="row">
        <button type="submit" className="btn primary" disabled={run.isPending}>
          {run.isPending ? 'Exporting…' : 'Export the trail'}
        </button>
        <button type="button" className="btn plain" onClick={() => setOpen(false)}>
          Close
        </button>
      </div>
    </form>
  );
}

export function Trail({ query }: { query: TrailQuery }) {
  const [limit, setLimit] = useState(50);
  const trail = useCommand('audit.list', { ...query, limit });
  if (trail.error) return <Failed error={trail.error} />;
  if (!trail.data) return <Waiting lines={8} />;
  if (trail.data.entries.length === 0) {
    return (
      <div className="card">
        <Empty title="No entries">Nothing fits. Change what you search for, or clear the search.</Empty>
      </div>
    );
  }
  return (
    <div className="stack">
      <ol className="card flush list" aria-label="Entries, newest first">
        {trail.data.entries.map((e) => (
          <li key={e.id}>
            <Row entry={e} />
          </li>
        ))}
      </ol>
      {trail.data.total > trail.data.entries.length && (
        <button type="button" className="btn" onClick={() => setLimit(limit + 100)}>
          Show more of {trail.data.total.toLocaleString('en')}
        </button>
      )}
    </div>
  );
}

/** A time that is only claimed, beside the word of those who had seen it. */
function Witnesses({ operation }: { operation: string }) {
  const seen = useCommand('audit.witnesses', { operation });
  if (!seen.data?.length) return null;
  return <> · seen by {seen.data.map((w) => `${w.person.name} before ${new Date(w.at_ms).toLocaleString()}`).join(', ')}</>;
}

function Row({ entry: e }: { entry: TrailEntry }) {
  const [opened, setOpened] = useState(false);
  const changed = e.before !== null || e.operation.endsWith('.edited');
  return (
    <details style={{ padding: '10px 20px' }} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary className="row" style={{ cursor: 'pointer' }}>
        <span className="grow">
          <strong>{e.by.name}</strong> {e.sentence}
          {e.subject_title && <span className="muted"> · {e.subject_title}</span>}
          {e.why && <span> — “{e.why}”</span>}
        </span>
        {e.state !== 'accepted' && <Badge tone="bad">Does not count: {e.state_reason}</Badge>}
        <small className="muted">
          <Time ms={e.at_ms} />
        </small>
      </summary>
      <dl className="small stack" style={{ paddingTop: 8, gap: 4 }}>
        <div>
          <dt className="muted">Roles</dt>
          <dd>{e.by.roles.map((r) => r.label).join(', ') || '–'}</dd>
        </div>
        <div>
          <dt className="muted">Time</dt>
          <dd>
            {new Date(e.at_ms).toLocaleString()} by the author's clock
            {e.received_ms && `; received here ${new Date(e.received_ms).toLocaleString()}`}
            {opened && <Witnesses operation={e.id} />}
          </dd>
        </div>
        {changed && (
          <div>
            <dt className="muted">Before</dt>
            <dd style={{ whiteSpace: 'pre-wrap' }}>{e.before || 'empty'}</dd>
          </div>
        )}
        <div>
          <dt className="muted">{changed ? 'After' : 'What was written'}</dt>
          <dd className={changed ? undefined : 'mono'} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {e.after.length > 2000 ? `${e.after.slice(0, 2000)}…` : e.after}
          </dd>
        </div>
        <div className="mono muted">
          {e.operation} · {e.id} · {e.commit ? `sealed in ${e.commit.slice(0, 12)}` : 'not sealed yet'}
        </div>
      </dl>
    </details>
  );
}
