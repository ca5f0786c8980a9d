import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { Failed } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { ChooseLifecycle } from '../lifecycle/choose';

/** A project begins with a title and a problem; the rest can follow. */
export function NewProject({ open, onClose }: { open: boolean; onClose: () => void }) {
  const create = useAct('project.create');
  const navigate = useNavigate();
  const toast = useToast();
  const [title, setTitle] = useState('');
  const [problem, setProblem] = useState('');
  const lifecycles = useCommand('lifecycle.list', {}, { enabled: open });
  const rows = lifecycles.data?.filter((r) => !r.old) ?? [];
  const [chosen, choose] = useState('');
  const lifecycle = chosen || rows[0]?.id || '';
  return (
    <Dialog open={open} onClose={onClose} title="Start a project">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          create.mutate(
            { title, problem: problem || undefined, template: lifecycle || undefined },
            {
              onSuccess: (project) => {
                onClose();
                setTitle('');
                setProblem('');
                toast(`Started "${project.title}".`);
                void navigate({ to: '/projects/$project', params: { project: project.id } });
              },
            },
          );
        }}
      >
        <label className="field">
          What do you want to achieve?
          <input
            type="text"
            value={title}
            onChange={(e) => setTitle(e.target.value)}
            required
            placeholder="For example: Fewer missed appointments"
          />
        </label>
        <label className="field">
          What is the problem today?
          <textarea
            value={problem}
            onChange={(e) => setProblem(e.target.value)}
            placeholder="Who suffers from it, how often, and what does it cost?"
          />
        </label>
        {rows.length > 0 && <ChooseLifecycle rows={rows} value={lifecycle} choose={choose} />}
        <Failed error={create.error ?? lifecycles.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={create.isPending}>
            Start the project
          </button>
        </div>
      </form>
    </Dialog>
  );
}
