import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import { inWindow, pickFile } from '../../host/client';
import { Badge, Failed, Say, Time } from '../../parts/bits';
import { useToast } from '../../parts/toast';

/** Runs that other tools wrote: taken once, or while they are written. */
export function Sources() {
  const sources = useCommand('source.list', {});
  const add = useAct('source.import');
  const remove = useAct('source.remove');
  const write = useAct('run.export_mlflow');
  const stop = useAct('source.cancel');
  const busy = add.isPending || write.isPending;
  const progress = useCommand('source.progress', {}, { enabled: busy, refetchInterval: busy ? 300 : undefined });
  const [out, setOut] = useState('');
  const toast = useToast();
  const [path, setPath] = useState('');
  const [watch, setWatch] = useState(true);
  const choose = async () => {
    const chosen = await pickFile();
    if (chosen) setPath(chosen);
  };
  const take = () =>
    add.mutate(
      { path, watch },
      {
        onSuccess: (done) => {
          setPath('');
          toast(`${done.source.label}: ${done.runs} runs, ${done.points.toLocaleString('en')} points`);
        },
      },
    );
  return (
    <section className="card stack" aria-label="Runs from other tools">
      <h2>Runs from other tools</h2>
      <p className="muted">
        MLflow (mlflow.db or mlruns), TensorBoard, DVCLive, DVC pipelines, Trackio, W&B offline folders, Neptune exports and JSON
        lines. Nothing in your script changes, and nothing is taken twice.
      </p>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          take();
        }}
      >
        <input
          type="text"
          className="grow"
          style={{ width: 'auto' }}
          aria-label="File or folder"
          placeholder="File or folder, for example /home/you/project/mlflow.db"
          value={path}
          onChange={(e) => setPath(e.target.value)}
        />
        {inWindow && (
          <button type="button" className="btn" onClick={() => void choose()}>
            Choose…
          </button>
        )}
        <label className="check">
          <input type="checkbox" checked={watch} onChange={(e) => setWatch(e.target.checked)} />
          and what is written there later
        </label>
        <button type="submit" className="btn" disabled={!path.trim() || add.isPending}>
          {add.isPending ? 'Reading…' : 'Take the runs'}
        </button>
      </form>
      {busy && (
        <div className="row" role="status">
          <span>{progress.data ? `${progress.data.what}: ${progress.data.done.toLocaleString('en')}` : 'Working…'}</span>
          <button type="button" className="btn" onClick={() => stop.mutate({})}>
            Stop
          </button>
        </div>
      )}
      {add.error?.code === 'stopped' ? <Say>{add.error.message}</Say> : <Failed error={add.error} />}
      {(sources.data?.length ?? 0) > 0 && (
        <ul className="list">
          {sources.data?.map((s) => (
            <li key={s.id} className="item">
              <div className="grow">
                <div style={{ overflowWrap: 'anywhere' }}>{s.path}</div>
                <div className="muted">
                  {s.label}: {s.points.toLocaleString('en')} points
                  {s.looked_ms !== null && (
                    <>
                      , last looked <Time ms={s.looked_ms} />
                    </>
                  )}
                </div>
                {s.trouble && <Say tone="warn">{s.trouble}</Say>}
                {s.findings.length > 0 && (
                  <details>
                    <summary>⚠ {s.findings.length === 1 ? 'One thing' : `${s.findings.length} things`} could not be read</summary>
                    <ul>
                      {s.findings.map((f) => (
                        <li key={f}>{f}</li>
                      ))}
                    </ul>
                  </details>
                )}
              </div>
              {s.watched ? <Badge tone="good">✓ Watched</Badge> : <Badge>Taken once</Badge>}
              <button
                type="button"
                className="btn"
                onClick={() => remove.mutate({ id: s.id })}
                aria-label={`Stop taking runs from ${s.path}`}
              >
                Stop
              </button>
            </li>
          ))}
        </ul>
      )}
      <Failed error={remove.error} />
      <details>
        <summary>Write all runs as a folder that MLflow opens</summary>
        <form
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            write.mutate(
              { dir: out },
              { onSuccess: (done) => toast(`${done.runs.toLocaleString('en')} runs are in ${done.dir}`) },
            );
          }}
        >
          <input
            type="text"
            className="grow"
            aria-label="A new folder"
            placeholder="/home/you/mlruns-of-cairn"
            value={out}
            onChange={(e) => setOut(e.target.value)}
          />
          <button type="submit" className="btn" disabled={!out.trim() || busy}>
            Write the folder
          </button>
        </form>
        <Failed error={write.error} />
        {write.data && write.data.left_out.length > 0 && (
          <Say tone="warn">
            {write.data.left_out.map((l) => (
              <div key={l}>{l}</div>
            ))}
          </Say>
        )}
      </details>
    </section>
  );
}
