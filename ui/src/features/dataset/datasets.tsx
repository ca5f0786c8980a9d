import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { inWindow, pickFile } from '../../host/client';
import type { DatasetVersion } from '../../host/commands.gen';
import { bytes, Empty, Failed, Num, Time, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';

export function Datasets({ project }: { project: string }) {
  const datasets = useCommand('dataset.list', { project });
  const load = useAct('dataset.import_csv');
  const toast = useToast();
  const [path, setPath] = useState('');
  const [name, setName] = useState('');
  const [open, setOpen] = useState(false);
  const choose = async () => {
    const chosen = await pickFile();
    if (!chosen) return;
    setPath(chosen);
    if (!name) setName((chosen.split('/').pop() ?? '').replace(/\.[^.]*$/, '').replaceAll('_', ' '));
  };
  return (
    <div className="stack">
      <div className="row between">
        <h2>Datasets</h2>
        <button type="button" className="btn primary" onClick={() => setOpen(!open)}>
          Register a CSV file
        </button>
      </div>
      {open && (
        <form
          className="card stack"
          onSubmit={(e) => {
            e.preventDefault();
            load.mutate(
              { project, path, name },
              {
                onSuccess: (d) => {
                  setOpen(false);
                  setPath('');
                  setName('');
                  toast(`Registered ${d.name} version ${d.versions[0]?.number}.`);
                },
              },
            );
          }}
        >
          <label className="field">
            File on this computer
            <div className="row" style={{ flexWrap: 'nowrap' }}>
              <input
                type="text"
                value={path}
                onChange={(e) => setPath(e.target.value)}
                required
                placeholder="/home/you/data/patients.csv"
              />
              {inWindow && (
                <button type="button" className="btn" onClick={() => void choose()}>
                  Choose…
                </button>
              )}
            </div>
            <span className="hint">The file stays where it is. Cairn records its fingerprint, rows, columns and types.</span>
          </label>
          <label className="field">
            Name of the dataset
            <input type="text" value={name} onChange={(e) => setName(e.target.value)} required list="dataset-names" />
            <datalist id="dataset-names">
              {datasets.data?.map((d) => (
                <option key={d.id} value={d.name} />
              ))}
            </datalist>
            <span className="hint">An existing name makes this its next version.</span>
          </label>
          <Failed error={load.error} />
          <button type="submit" className="btn primary" disabled={load.isPending}>
            {load.isPending ? 'Reading the file…' : 'Register the version'}
          </button>
        </form>
      )}
      <Failed error={datasets.error} />
      {!datasets.data && !datasets.error && <Waiting />}
      {datasets.data?.length === 0 && !open && (
        <div className="card">
          <Empty title="No data yet">
            Point at a CSV file and see what is in it. Everybody then knows which data a model learned from.
          </Empty>
        </div>
      )}
      {datasets.data?.map((d) => (
        <section key={d.id} className="card stack" aria-label={d.name}>
          <h2>{d.name}</h2>
          {d.versions.map((v, i) => (
            <Version key={v.id} version={v} open={i === 0} />
          ))}
        </section>
      ))}
    </div>
  );
}

function Version({ version: v, open }: { version: DatasetVersion; open: boolean }) {
  return (
    <details open={open}>
      <summary>
        Version {v.number}: {v.rows.toLocaleString('en')} rows, {v.columns.length} columns, {bytes(v.size)} · {v.by.name},{' '}
        <Time ms={v.at_ms} />
      </summary>
      <p className="small muted">
        {v.file} · sha256 <code>{v.digest}</code>
      </p>
      <section className="scroll" style={{ maxHeight: 360 }} tabIndex={0} aria-label={`Columns of version ${v.number}`}>
        <table>
          <thead>
            <tr>
              <th>Column</th>
              <th>Type</th>
              <th className="num">Missing</th>
              <th className="num">Distinct</th>
              <th className="num">Lowest</th>
              <th className="num">Mean</th>
              <th className="num">Highest</th>
            </tr>
          </thead>
          <tbody>
            {v.columns.map((c) => (
              <tr key={c.name}>
                <td>{c.name}</td>
                <td>{c.dtype}</td>
                <td className="num">{c.missing}</td>
                <td className="num">{c.distinct ?? 'over 10,000'}</td>
                <td className="num">
                  <Num value={c.min ?? undefined} />
                </td>
                <td className="num">
                  <Num value={c.mean ?? undefined} />
                </td>
                <td className="num">
                  <Num value={c.max ?? undefined} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
