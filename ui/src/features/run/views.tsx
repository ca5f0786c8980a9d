import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { Failed, Say } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { readState, type TableState } from './state';

/** Ways to look at the table that the team keeps. */
export function Views({ project, state, show }: { project?: string; state: TableState; show: (state: TableState) => void }) {
  const views = useCommand('view.list', { project });
  const save = useAct('view.save');
  const remove = useAct('record.delete');
  const toast = useToast();
  const [chosen, choose] = useState('');
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const all = views.data ?? [];
  const now = all.find((v) => `${v.id}/${v.saved_ms}` === chosen);
  const changed = now && JSON.stringify(readState(now.state)) !== JSON.stringify(state);
  const store = (view: string | undefined, called: string, base?: string) =>
    save.mutate(
      { view, project, name: called, state: { ...state }, base },
      {
        onSuccess: (kept) => {
          choose(`${kept.id}/${kept.saved_ms}`);
          setNaming(false);
          toast(`The view ${kept.name} is kept for the team`);
        },
      },
    );
  return (
    <>
      <select
        aria-label="Views of this table"
        style={{ width: 'auto' }}
        value={now ? chosen : ''}
        onChange={(e) => {
          choose(e.target.value);
          const view = all.find((v) => `${v.id}/${v.saved_ms}` === e.target.value);
          if (view) show(readState(view.state));
        }}
      >
        <option value="">{all.length === 0 ? 'No saved views' : 'Views…'}</option>
        {all.map((v) => (
          <option key={`${v.id}/${v.saved_ms}`} value={`${v.id}/${v.saved_ms}`}>
            {v.name}
            {v.both_changed ? ` (as ${v.by.name} has it)` : ''}
          </option>
        ))}
      </select>
      {now?.both_changed && (
        <button type="button" className="btn" onClick={() => store(now.id, now.name, now.base)}>
          Keep this one
        </button>
      )}
      {now && changed && !now.both_changed && (
        <button type="button" className="btn" onClick={() => store(now.id, now.name, now.base)}>
          Update “{now.name}”
        </button>
      )}
      <button
        type="button"
        className="btn"
        onClick={() => {
          setName('');
          setNaming(true);
        }}
      >
        Save view…
      </button>
      {now && (
        <button
          type="button"
          className="btn"
          onClick={() => {
            const subject = { kind: 'view', id: now.id };
            remove.mutate(
              { subject, restore: false },
              { onSuccess: () => toast(`The view ${now.name} is deleted`, () => remove.mutate({ subject, restore: true })) },
            );
            choose('');
          }}
        >
          Delete view
        </button>
      )}
      <Dialog open={naming} onClose={() => setNaming(false)} title="Save this view for the team">
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            store(undefined, name);
          }}
        >
          <p className="muted">Its filter, order, groups, columns, widths and pinned runs are kept. Everybody can use it.</p>
          <label className="field">
            Name
            <input type="text" value={name} placeholder="Best forests" onChange={(e) => setName(e.target.value)} />
          </label>
          {all.some((v) => v.name === name.trim()) && <Say>There is a view of this name already; this will be a second one.</Say>}
          <Failed error={save.error} />
          <div className="row right">
            <button type="button" className="btn" onClick={() => setNaming(false)}>
              Cancel
            </button>
            <button type="submit" className="btn primary" disabled={!name.trim() || save.isPending}>
              Save view
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
