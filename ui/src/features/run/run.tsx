import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { ArtifactRow } from '../../host/commands.gen';
import { Badge, bytes, Empty, Failed, Num, State, Term, Time, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { MakeVersion } from '../model/make';
import { Notes } from '../note/notes';
import { MetricChart } from './chart';

export function RunScreen() {
  const { run: id = '' } = useParams({ strict: false });
  const detail = useCommand('run.get', { run: id });
  const [file, view] = useState<ArtifactRow | null>(null);
  const [making, make] = useState(false);
  if (detail.error) return <Failed error={detail.error} />;
  if (!detail.data) return <Waiting lines={10} />;
  const { run, metrics, artifacts, models, inputs } = detail.data;
  const curves = metrics.filter((m) => m.count > 1);
  return (
    <div className="page">
      <header className="row between">
        <div>
          <h1>{run.name}</h1>
          <p className="muted">
            {run.experiment_name} · {run.by.name} · <Time ms={run.start_ms} />
            {run.end_ms && run.end_ms > run.start_ms
              ? ` · took ${Math.max(1, Math.round((run.end_ms - run.start_ms) / 1000))} s`
              : ''}
          </p>
        </div>
        <div className="row">
          <State state={run.status} />
          {run.project && (
            <button type="button" className="btn primary" onClick={() => make(true)}>
              Make a model version
            </button>
          )}
        </div>
      </header>
      {metrics.length === 0 && <Empty title="No metrics yet">They appear here as soon as the script logs them.</Empty>}
      {metrics.length > 0 && (
        <section className="card flush" aria-label="Metrics">
          <table>
            <thead>
              <tr>
                <th>Metric</th>
                <th className="num">Last</th>
                <th className="num">Lowest</th>
                <th className="num">Highest</th>
                <th className="num">Points</th>
              </tr>
            </thead>
            <tbody>
              {metrics.map((m) => (
                <tr key={m.key}>
                  <td>
                    <Term>{m.key}</Term>
                  </td>
                  <td className="num" data-metric={m.key}>
                    <Num value={m.last} />
                  </td>
                  <td className="num">
                    <Num value={m.min ?? undefined} />
                  </td>
                  <td className="num">
                    <Num value={m.max ?? undefined} />
                  </td>
                  <td className="num">{m.count.toLocaleString('en')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {curves.length > 0 && (
        <div className="grid2" style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(min(440px, 100%), 1fr))' }}>
          {curves.slice(0, 12).map((m) => (
            <MetricChart key={m.key} metric={m.key} runs={[run.id]} />
          ))}
        </div>
      )}
      <div className="grid2" style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(min(440px, 100%), 1fr))' }}>
        <Pairs title="Parameters" pairs={run.params} empty="The script logged no parameters." />
        <section className="card">
          <h2>Data and models</h2>
          {inputs.length + models.length === 0 && <p className="muted">The script logged neither data nor a model.</p>}
          <ul className="list">
            {inputs.map((i) => (
              <li key={i.name + i.digest} style={{ padding: '6px 0' }}>
                Data: {i.name} <code>{i.digest}</code> {i.context && <Badge>{i.context}</Badge>}
              </li>
            ))}
            {models.map((m) => (
              <li key={m.id} style={{ padding: '6px 0' }}>
                Model: {m.name}, {m.files} files {m.status === 'LOGGED_MODEL_READY' && <Badge tone="good">✓ Ready</Badge>}
              </li>
            ))}
          </ul>
          <h3 style={{ marginTop: 12 }}>Files</h3>
          {artifacts.length === 0 && <p className="muted">No files.</p>}
          <ul className="list">
            {artifacts.map((a) => (
              <li key={a.path} className="row between" style={{ padding: '4px 0' }}>
                <button type="button" className="btn plain" style={{ padding: 0 }} onClick={() => view(a)}>
                  {a.path}
                </button>
                <small className="muted">
                  {bytes(a.size)}
                  {!a.here && ' · on another computer'}
                </small>
              </li>
            ))}
          </ul>
        </section>
      </div>
      <details className="card">
        <summary>Tags and where it ran</summary>
        <Pairs title="Tags" pairs={run.tags} empty="No tags." />
      </details>
      <Notes about={{ kind: 'run', id: run.id }} />
      {file && <FileDialog file={file} onClose={() => view(null)} />}
      {run.project && <MakeVersion open={making} onClose={() => make(false)} run={run} project={run.project} />}
    </div>
  );
}

function Pairs({ title, pairs, empty }: { title: string; pairs: { [key: string]: string | undefined }; empty: string }) {
  const all = Object.entries(pairs);
  return (
    <section className="card">
      <h2>{title}</h2>
      {all.length === 0 && <p className="muted">{empty}</p>}
      <table>
        <tbody>
          {all.map(([key, value]) => (
            <tr key={key}>
              <td>{key}</td>
              <td className="mono">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FileDialog({ file, onClose }: { file: ArtifactRow; onClose: () => void }) {
  const content = useCommand('file.view', { digest: file.digest, path: file.path });
  return (
    <Dialog open onClose={onClose} title={file.path}>
      <Failed error={content.error} />
      {content.data?.kind === 'text' && <pre className="mono scroll">{content.data.text}</pre>}
      {content.data?.kind === 'image' && <img src={content.data.data_url ?? ''} alt={file.path} style={{ maxWidth: '100%' }} />}
      {content.data?.kind === 'binary' && <p>This file is not text. Its sha256 is {file.digest}.</p>}
      {content.data?.kind === 'elsewhere' && (
        <p>The content lies on the computer that logged it: it is larger than what is shared.</p>
      )}
      <button type="button" className="btn" onClick={onClose}>
        Close
      </button>
    </Dialog>
  );
}
