import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { RunRow } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

/** A model version from a run: frozen files, its data, and a card drafted from what the run knows. */
export function MakeVersion({
  open,
  onClose,
  run,
  project,
}: {
  open: boolean;
  onClose: () => void;
  run: RunRow;
  project: string;
}) {
  const models = useCommand('model.list', { project });
  const datasets = useCommand('dataset.list', { project });
  const register = useAct('model.register');
  const navigate = useNavigate();
  const toast = useToast();
  const [name, setName] = useState('');
  const [data, setData] = useState<string[] | null>(null);
  const chosen = data ?? (datasets.data ?? []).flatMap((d) => d.versions.slice(0, 1).map((v) => v.id));
  const model = name || models.data?.[0]?.name || '';
  return (
    <Dialog open={open} onClose={onClose} title={`Make a model version from ${run.name}`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          register.mutate(
            { project, model, run: run.id, datasets: chosen },
            {
              onSuccess: (version) => {
                onClose();
                toast(`Made ${version.model_name} version ${version.number}. Now fill its card.`);
                void navigate({ to: '/cards/$version', params: { version: version.id } });
              },
            },
          );
        }}
      >
        <label className="field">
          Model
          <input
            type="text"
            list="model-names"
            value={model}
            onChange={(e) => setName(e.target.value)}
            required
            placeholder="For example: tumour-ranking"
          />
          <datalist id="model-names">
            {models.data?.map((m) => (
              <option key={m.id} value={m.name} />
            ))}
          </datalist>
          <span className="hint">An existing name makes this its next version.</span>
        </label>
        <fieldset className="checks">
          <legend>Trained and tested on</legend>
          {datasets.data?.length === 0 && <p className="muted">No dataset is registered in this project yet.</p>}
          {datasets.data?.flatMap((d) =>
            d.versions.map((v) => (
              <label key={v.id} className="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(v.id)}
                  onChange={(e) => setData(e.target.checked ? [...chosen, v.id] : chosen.filter((x) => x !== v.id))}
                />
                {d.name} version {v.number}
              </label>
            )),
          )}
        </fieldset>
        <Failed error={register.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={register.isPending}>
            Make the version
          </button>
        </div>
      </form>
    </Dialog>
  );
}
