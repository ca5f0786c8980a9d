import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { TrailEntry, TrailPick, TrailQuery } from '../../host/commands.gen';
import { Badge, Empty, Failed, Say, Time, Waiting } from '../../parts/bits';
import { Term } from '../../parts/term';
import { useToast } from '../../parts/toast';

export function AuditScreen() {
  const [text, setText] = useState('');
  const [asked, ask] = useState('');
  const [tracking, setTracking] = useState(false);
  const [only, setOnly] = useState<TrailPick>({});
  return (
    <div className="page">
      <div className="row between">
        <h1>
          <Term>Audit trail</Term>
        </h1>
      </div>
      <p className="muted">Who did what, when, in which role and why. Nothing here can be changed or taken away.</p>
      <Fingerprint />
      <Export only={only} />
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
          placeholder="Search by a word or a name"
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <button type="submit" className="btn">
          Search
        </button>
        <label className="check">
          <input type="checkbox" checked={tracking} onChange={(e) => setTracking(e.target.checked)} /> Also what scripts logged
        </label>
      </form>
      <Filters only={only} set={setOnly} />
      <Trail
        query={{ text: asked || undefined, tracking: tracking || only.meaning === 'tracking', problems: false, offset: 0, only }}
      />
    </div>
  );
}

/** What an auditor must hear from somebody by another way than the bundle. */
function Fingerprint() {
  const app = useCommand('app.status', {});
  const toast = useToast();
  const fingerprint = app.data?.workspace?.fingerprint;
  if (!fingerprint) return null;
  return (
    <div className="row" style={{ flexWrap: 'wrap' }}>
      <span>Fingerprint of this workspace</span>
      <code style={{ overflowWrap: 'anywhere' }}>{fingerprint}</code>
      <button
        type="button"
        className="btn"
        onClick={() => void navigator.clipboard.writeText(fingerprint).then(() => toast('The fingerprint is copied'))}
      >
        Copy the fingerprint
      </button>
    </div>
  );
}

const isNarrowed = (only: TrailPick) => Object.values(only).some(Boolean);

function Filters({ only, set }: { only: TrailPick; set: (only: TrailPick) => void }) {
  const team = useCommand('member.list', {});
  const app = useCommand('app.status', {});
  const projects = useCommand('project.list', {});
  const meanings = useCommand('audit.meanings', {});
  const change = (part: TrailPick) => set({ ...only, ...part });
  return (
    <fieldset className="row" style={{ flexWrap: 'wrap', alignItems: 'end', border: 0, padding: 0, margin: 0 }}>
      <legend className="small muted">Only</legend>
      <Choice
        label="Person"
        all="Everybody"
        value={only.person}
        choices={team.data?.members.map((m) => ({ id: m.id, label: m.name }))}
        onChange={(person) => change({ person })}
      />
      <Choice
        label="Role held then"
        all="Any role"
        value={only.role}
        choices={app.data?.roles}
        onChange={(role) => change({ role })}
      />
      <Choice
        label="Project"
        all="All projects"
        value={only.project}
        choices={projects.data?.map((p) => ({ id: p.id, label: p.title }))}
        onChange={(project) => change({ project })}
      />
      <Choice
        label="About"
        all="Everything"
        value={only.meaning}
        choices={meanings.data}
        onChange={(meaning) => change({ meaning })}
      />
      <label className="field">
        From
        <input
          type="date"
          value={only.since ?? ''}
          max={only.until}
          onChange={(e) => change({ since: e.target.value || undefined })}
        />
      </label>
      <label className="field">
        Up to
        <input
          type="date"
          value={only.until ?? ''}
          min={only.since}
          onChange={(e) => change({ until: e.target.value || undefined })}
        />
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={only.not_counted ?? false}
          onChange={(e) => change({ not_counted: e.target.checked || undefined })}
        />{' '}
        Only what does not count
      </label>
      <button type="button" className="btn plain" disabled={!isNarrowed(only)} onClick={() => set({})}>
        Show everything
      </button>
    </fieldset>
  );
}

function Choice({
  label,
  all,
  value,
  choices,
  onChange,
}: {
  label: string;
  all: string;
  value?: string;
  choices?: { id: string; label: string }[];
  onChange: (value?: string) => void;
}) {
  return (
    <label className="field">
      {label}
      <select value={value ?? ''} onChange={(e) => onChange(e.target.value || undefined)}>
        <option value="">{all}</option>
        {choices?.map((c) => (
          <option key={c.id} value={c.id}>
            {c.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Export({ only }: { only: TrailPick }) {
  const run = useAct('audit.export');
  const [dir, setDir] = useState('');
  const [open, setOpen] = useState(false);
  const [extract, setExtract] = useState(false);
  const narrowed = isNarrowed(only);
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
        run.mutate({ dir, only: extract && narrowed ? only : undefined });
      }}
    >
      <label className="field">
        New folder for the export
        <input type="text" value={dir} onChange={(e) => setDir(e.target.value)} required placeholder="/home/you/audit-2026" />
        <span className="hint">
          It will hold the trail as a table, every signature, and a program that checks them. Give the auditor the fingerprint
          above by another way.
        </span>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={extract && narrowed}
          disabled={!narrowed}
          onChange={(e) => setExtract(e.target.checked)}
        />{' '}
        Only the entries that the filters below leave{narrowed ? '' : ' (none is set)'}
      </label>
      <Failed error={run.error} />
      {run.data && (
        <Say tone="good">
          {run.data.entries.toLocaleString('en')} of {run.data.entries_in_all.toLocaleString('en')} entries and{' '}
          {run.data.signoffs} signatures are in {run.data.dir}. VERIFY.md there tells how to check them.
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
