import { useDeferredValue, useRef, useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { LifecycleRow, Problem } from '../../host/commands.gen';
import { Badge, Failed, Say, Time, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Term } from '../../parts/term';
import { useToast } from '../../parts/toast';
import { Delete } from '../record/delete';
import { DifferenceOf, LifecycleRead } from './read';

/** The lifecycles that projects can keep to; a team copies and changes them. */
export function LifecyclesScreen() {
  const all = useCommand('lifecycle.list', {});
  const [editing, edit] = useState<LifecycleRow | null>(null);
  if (all.error) return <Failed error={all.error} />;
  if (!all.data) return <Waiting lines={8} />;
  return (
    <div className="page">
      <h1>
        <Term word="lifecycle">Lifecycles</Term>
      </h1>
      <p className="muted">
        A lifecycle says what each stage of a project asks for, and what is handed over between people. A project keeps to the
        version that it began with until somebody moves it.
      </p>
      {all.data.map((row) => (
        <section key={`${row.id}/${row.saved?.at_ms ?? ''}`} className="card stack" aria-label={row.name}>
          <div className="row between">
            <h2>{row.name}</h2>
            <div className="row">
              {row.risk.map((risk) => (
                <Badge key={risk}>{risk} risk</Badge>
              ))}
              {row.template ? <Badge tone="accent">Your team’s</Badge> : row.old && <Badge>Only for projects that have it</Badge>}
            </div>
          </div>
          {row.both_changed && (
            <Say tone="warn">
              Two people changed this lifecycle at the same time; this is one of the two. Change and save one to settle it.
            </Say>
          )}
          <p>{row.summary}</p>
          <p className="small muted">
            {row.projects === 0
              ? 'No project keeps to it.'
              : row.projects === 1
                ? 'One project keeps to it.'
                : `${row.projects} projects keep to it.`}
            {row.behind > 0 && ` ${row.behind} keep to an earlier version.`}
            {row.saved && (
              <>
                {' '}
                Saved by {row.saved.by.name} <Time ms={row.saved.at_ms} />.
              </>
            )}
          </p>
          <Whole id={row.id} />
          <div className="row">
            <button type="button" className="btn" onClick={() => edit(row)}>
              {row.template ? 'Change…' : 'Copy and change…'}
              <span className="sr"> {row.name}</span>
            </button>
            {row.template && (
              <Delete subject={{ kind: 'template', id: row.template }} said={`the lifecycle ${row.name}`} name={row.name} />
            )}
          </div>
        </section>
      ))}
      {editing && <Editor row={editing} onClose={() => edit(null)} />}
      <FoundAgain />
    </div>
  );
}

function Whole({ id }: { id: string }) {
  const [open, show] = useState(false);
  const view = useCommand('lifecycle.get', { id }, { enabled: open });
  return (
    <details onToggle={(e) => e.target === e.currentTarget && show(e.currentTarget.open)}>
      <summary>What it asks for</summary>
      {open && view.error && <Failed error={view.error} />}
      {open && view.data && <LifecycleRead view={view.data} />}
    </details>
  );
}

function Editor({ row, onClose }: { row: LifecycleRow; onClose: () => void }) {
  const whole = useCommand('lifecycle.get', { id: row.id });
  return (
    <Dialog open onClose={onClose} title={row.template ? `Change "${row.name}"` : `A copy of "${row.name}"`} className="wide">
      {whole.error && <Failed error={whole.error} />}
      {whole.data ? <Form row={row} first={whole.data.text} onClose={onClose} /> : <Waiting lines={8} />}
    </Dialog>
  );
}

/** A copy begins with another name, so that nobody takes one for the other. */
function begun(row: LifecycleRow, text: string): string {
  if (row.template) return text;
  return text.replace(/^name: .*$/m, `name: ${JSON.stringify(`${row.name} of ours`)}`).replace(/^id: .*$/m, 'id: ours');
}

function Form({ row, first, onClose }: { row: LifecycleRow; first: string; onClose: () => void }) {
  // A draft survives a crash, for the very version that it began from: over a newer one it would take somebody's change away.
  const key = `draft-lifecycle-${row.id}`;
  const [text, setText] = useState(() => localStorage.getItem(key) ?? begun(row, first));
  const field = useRef<HTMLTextAreaElement>(null);
  const save = useAct('lifecycle.save');
  const toast = useToast();
  const asked = useDeferredValue(text);
  const found = useCommand('lifecycle.check', { text: asked, from: row.id });
  const problems = found.data?.problems ?? [];
  const close = () => {
    localStorage.removeItem(key);
    onClose();
  };
  const goTo = (p: Problem) => {
    const area = field.current;
    if (!area || p.line === 0) return;
    const lines = text.split('\n');
    const start = lines.slice(0, p.line - 1).reduce((n, l) => n + l.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[p.line - 1]?.length ?? 0));
    area.scrollTop = Math.max(0, (p.line - 4) * 18);
  };
  return (
    <form
      className="edit-chart"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate(
          { template: row.template ?? undefined, text, base: row.base ?? undefined },
          {
            onSuccess: (saved) => {
              toast(`"${saved.name}" is saved for the team.`);
              close();
            },
          },
        );
      }}
    >
      <label className="field">
        The lifecycle as text
        <textarea
          ref={field}
          className="mono"
          rows={26}
          spellCheck={false}
          value={text}
          onChange={(e) => {
            setText(e.target.value);
            localStorage.setItem(key, e.target.value);
          }}
        />
        <span className="hint">YAML. Every field is described in the handbook under “Lifecycles”.</span>
      </label>
      <div className="stack">
        <Failed error={found.error} />
        <div role="status" aria-live="polite">
          {problems.length > 0 ? (
            <section className="card stack" aria-label="What is wrong">
              <h3>{problems.length === 1 ? 'One thing is wrong' : `${problems.length} things are wrong`}</h3>
              <ul className="list">
                {problems.map((p) => (
                  <li key={`${p.line}/${p.message}`}>
                    <button type="button" className="btn plain left" onClick={() => goTo(p)}>
                      {p.line > 0 ? `Line ${p.line}: ` : ''}
                      {p.message}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ) : (
            found.data && <Say tone="good">It can be used.</Say>
          )}
        </div>
        {row.template && row.projects + row.behind > 0 && (
          <Say tone="info">
            {row.projects + row.behind === 1 ? 'One project keeps' : `${row.projects + row.behind} projects keep`} to the version
            that it has now. Nothing changes for them until a business owner or compliance moves them.
          </Say>
        )}
        {found.data?.view && (
          <>
            <section className="card stack" aria-label="What changes">
              <h3>What changes</h3>
              <DifferenceOf found={found.data.difference} level={4} />
            </section>
            <details>
              <summary>How it will read</summary>
              <LifecycleRead view={found.data.view} level={4} />
            </details>
          </>
        )}
        <Failed error={save.error} />
        <div className="row right">
          <button type="button" className="btn" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={save.isPending || problems.length > 0}>
            Save for the team
          </button>
        </div>
      </div>
    </form>
  );
}

/** What was found in several projects: a lifecycle could ask for it, so that it is not found again. */
function FoundAgain() {
  const found = useCommand('finding.recurrent', {});
  const toast = useToast();
  if (!found.data || found.data.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="again">
      <h2 id="again">Found again and again</h2>
      <p className="muted">
        These were found in more than one project. Copy one as an item into a checklist of your own lifecycle; then every project
        is asked.
      </p>
      <ul className="list">
        {found.data.map((f) => (
          <li key={f.title} className="row between" style={{ padding: '8px 0' }}>
            <span className="grow">
              {f.title}
              <span className="small muted">
                {' '}
                {f.findings} findings in {f.projects.join(', ')}
              </span>
            </span>
            <button
              type="button"
              className="btn"
              onClick={() => void navigator.clipboard.writeText(f.item).then(() => toast('Copied as an item of a checklist.'))}
            >
              Copy as an item<span className="sr">: {f.title}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
