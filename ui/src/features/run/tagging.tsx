import { useState } from 'react';
import { useAct } from '../../host/cache';
import { call } from '../../host/client';
import { Failed } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

interface Props {
  /** Runs that were chosen, with their tags, so that it can be undone. */
  runs: { id: string }[];
  project?: string;
  /** All that fit, instead. */
  filter: string;
  total: number;
  onClose: () => void;
}

/** Sets or removes a tag of many runs at once. */
export function Tagging({ runs, project, filter, total, onClose }: Props) {
  const tag = useAct('run.tag');
  const toast = useToast();
  const [whom, setWhom] = useState<'chosen' | 'all'>(runs.length > 0 ? 'chosen' : 'all');
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const [what, setWhat] = useState<'set' | 'remove'>('set');
  const count = whom === 'chosen' ? runs.length : total;
  const apply = async () => {
    const name = key.trim();
    const set: { [key: string]: string } = what === 'set' ? { [name]: value } : {};
    const remove = what === 'remove' ? [name] : [];
    // As they are now, not as they were when they were ticked.
    const now = whom === 'chosen' ? await Promise.all(runs.map((r) => call('run.get', { run: r.id }))) : [];
    const before = now.map((d) => ({ id: d.run.id, value: d.run.tags[name] }));
    tag.mutate(whom === 'chosen' ? { runs: runs.map((r) => r.id), set, remove } : { project, filter, set, remove }, {
      onSuccess: (done) => {
        const undo =
          whom === 'chosen'
            ? () => {
                const had = new Map<string | undefined, string[]>();
                for (const b of before) had.set(b.value, [...(had.get(b.value) ?? []), b.id]);
                for (const [old, ids] of had)
                  void call('run.tag', {
                    runs: ids,
                    set: old === undefined ? {} : { [name]: old },
                    remove: old === undefined ? [name] : [],
                  });
              }
            : undefined;
        toast(`The tag ${name} is ${what === 'set' ? 'set on' : 'removed from'} ${done.runs.toLocaleString('en')} runs`, undo);
        onClose();
      },
    });
  };
  return (
    <Dialog open onClose={onClose} title="Tag runs">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          void apply();
        }}
      >
        <fieldset className="stack">
          <legend>Which runs</legend>
          <label className="check">
            <input
              type="radio"
              name="whom"
              checked={whom === 'chosen'}
              disabled={runs.length === 0}
              onChange={() => setWhom('chosen')}
            />
            The {runs.length} that are ticked
          </label>
          <label className="check">
            <input type="radio" name="whom" checked={whom === 'all'} onChange={() => setWhom('all')} />
            All {total.toLocaleString('en')} that the table shows
          </label>
        </fieldset>
        <label className="field">
          What to do
          <select value={what} onChange={(e) => setWhat(e.target.value === 'remove' ? 'remove' : 'set')}>
            <option value="set">Set a tag</option>
            <option value="remove">Remove a tag</option>
          </select>
        </label>
        <label className="field">
          Tag
          <input type="text" value={key} placeholder="team" onChange={(e) => setKey(e.target.value)} />
        </label>
        {what === 'set' && (
          <label className="field">
            Value
            <input type="text" value={value} placeholder="red" onChange={(e) => setValue(e.target.value)} />
          </label>
        )}
        <Failed error={tag.error} />
        <div className="row right">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={!key.trim() || count === 0 || tag.isPending}>
            {what === 'set' ? 'Set' : 'Remove'} the tag on {count.toLocaleString('en')} {count === 1 ? 'run' : 'runs'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
