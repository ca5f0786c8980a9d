import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { LifecycleRow, Project } from '../../host/commands.gen';
import { Failed, Say, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { DifferenceOf } from './read';

/** Lifecycles as radio buttons, each with what it is for. */
export function ChooseLifecycle({ rows, value, choose }: { rows: LifecycleRow[]; value: string; choose: (id: string) => void }) {
  return (
    <fieldset className="field choices">
      <legend>Lifecycle</legend>
      {rows.map((row) => (
        <label key={row.id} className="check">
          <input type="radio" name="lifecycle" value={row.id} checked={row.id === value} onChange={() => choose(row.id)} />
          <span>
            <strong>{row.name}</strong> <span className="muted">{row.summary}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** The lifecycle of a project, and the way to another one. */
export function LifecycleOf({ project }: { project: Project }) {
  const [open, show] = useState(false);
  const all = useCommand('lifecycle.list', {});
  const own = project.template.id.split('/')[1];
  const newer = all.data?.find(
    (r) => r.template !== null && r.template === own && !r.both_changed && r.id !== project.template.id,
  );
  return (
    <div className="row small muted">
      <span>
        Lifecycle: {project.template.name}
        {newer && ' (there is a newer version)'}
      </span>
      <button type="button" className="btn plain" onClick={() => show(true)}>
        {newer ? 'See what is new…' : 'Change…'}
        <span className="sr"> the lifecycle</span>
      </button>
      {project.lifecycle_word && <Say tone="warn">{project.lifecycle_word}</Say>}
      {!project.template.here && (
        <Say tone="warn">
          The lifecycle of this project has not arrived on this computer yet. Share now; until then the gates stay closed.
        </Say>
      )}
      {open && all.data && <Move project={project} rows={all.data} first={newer?.id ?? ''} onClose={() => show(false)} />}
    </div>
  );
}

function Move({ project, rows, first, onClose }: { project: Project; rows: LifecycleRow[]; first: string; onClose: () => void }) {
  const set = useAct('project.set_template');
  const toast = useToast();
  const [to, choose] = useState(first);
  const [reason, setReason] = useState('');
  const others = rows.filter((r) => r.id !== project.template.id && !r.old);
  const told = useCommand(
    'lifecycle.difference',
    { from: project.template.id, to },
    { enabled: to !== '' && project.template.here },
  );
  return (
    <Dialog open onClose={onClose} title="Another lifecycle for this project">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          set.mutate(
            { project: project.id, template: to, reason },
            {
              onSuccess: (p) => {
                toast(`The project keeps to "${p.template.name}" now.`);
                onClose();
              },
            },
          );
        }}
      >
        <ChooseLifecycle rows={others} value={to} choose={choose} />
        {to !== '' && told.data && <DifferenceOf found={told.data} />}
        {to !== '' && told.isFetching && !told.data && <Waiting />}
        <p className="small muted">
          Checklists that have begun go on as they are. A business owner or compliance decides, as with a waiver, and it stays in
          the history.
        </p>
        <label className="field">
          Why?
          <textarea value={reason} onChange={(e) => setReason(e.target.value)} />
        </label>
        <Failed error={told.error ?? set.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={to === '' || !reason.trim() || set.isPending}>
            Move the project
          </button>
        </div>
      </form>
    </Dialog>
  );
}
