import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ArtifactRow, FileShown } from '../../host/commands.gen';
import { bytes, Empty, Failed, Say, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Html } from '../../parts/html';
import { Pieces } from '../../parts/pieces';
import { useToast } from '../../parts/toast';

/** The files of a run by folder, and a look into each. */
export function Files({ run, files }: { run: string; files: ArtifactRow[] }) {
  const [open, show] = useState<ArtifactRow | null>(null);
  const [wanted, want] = useState('');
  const found = files.filter((f) => f.path.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <div className="stack">
      {files.length === 0 && (
        <Empty title="No files">A script logs files with its artifacts; a file that stays where it is can be named below.</Empty>
      )}
      {files.length > 8 && (
        <input
          type="search"
          aria-label="Find a file"
          placeholder="Find a file"
          value={wanted}
          onChange={(e) => want(e.target.value)}
        />
      )}
      {files.length > 0 && (
        <section className="card flush scroll" aria-label="Files" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>File</th>
                <th>Where it is</th>
                <th className="num">Size</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, 500).map((f) => (
                <tr key={f.path}>
                  <td>
                    <button type="button" className="btn plain link" onClick={() => show(f)}>
                      {f.path}
                    </button>
                  </td>
                  <td className="muted">{f.address ? f.address : f.here ? 'Here' : 'On another computer, or in the store'}</td>
                  <td className="num">{f.size === null ? '–' : bytes(f.size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found.length > 500 && (
        <p className="muted">The first 500 of {found.length.toLocaleString('en')}; search to see the others.</p>
      )}
      <Refer run={run} />
      {open && <FileDialog path={open.path} owner={{ kind: 'run', id: run }} onClose={() => show(null)} />}
    </div>
  );
}

/** Names a file that stays where it is. */
function Refer({ run }: { run: string }) {
  const refer = useAct('file.refer');
  const toast = useToast();
  const [path, setPath] = useState('');
  const [address, setAddress] = useState('');
  return (
    <details className="card">
      <summary>Name a file or folder that stays where it is</summary>
      <p className="muted">
        For data that is too large to copy: its place and fingerprint are kept with the run, and Cairn says when it has changed.
      </p>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          refer.mutate(
            { run, path, address },
            {
              onSuccess: (done) => {
                setPath('');
                setAddress('');
                toast(done.files === 1 ? 'One file is named' : `${done.files} files are named`);
              },
            },
          );
        }}
      >
        <label className="field">
          Called in the run
          <input type="text" value={path} placeholder="data/train.csv" onChange={(e) => setPath(e.target.value)} />
        </label>
        <label className="field grow">
          Path on this computer, or address
          <input
            type="text"
            value={address}
            placeholder="/data/train.csv or s3://bucket/train.parquet"
            onChange={(e) => setAddress(e.target.value)}
          />
        </label>
        <button type="submit" className="btn" disabled={!path.trim() || !address.trim() || refer.isPending}>
          {refer.isPending ? 'Looking…' : 'Name it'}
        </button>
      </form>
      <Failed error={refer.error} />
    </details>
  );
}

interface Shown {
  path: string;
  title?: string;
  digest?: string;
  owner?: { kind: string; id: string };
  onClose: () => void;
}

/** A look into a file of a run, in the page. Nothing in it runs. */
export function FileLook({ run, path }: { run: string; path: string }) {
  const [fetch, get] = useState(false);
  const content = useCommand('file.view', { path, owner: { kind: 'run', id: run }, fetch });
  if (content.error) return <Failed error={content.error} />;
  if (!content.data) return <Waiting lines={4} />;
  return <Look shown={content.data} path={path} busy={content.isFetching} onFetch={() => get(true)} />;
}

/** A look into a file. Nothing in it runs. */
export function FileDialog({ path, title, digest, owner, onClose }: Shown) {
  const [fetch, get] = useState(false);
  // Looked at anew each time: a file that was referred to may be another one now.
  const content = useCommand('file.view', { path, digest, owner, fetch }, { staleTime: 0, gcTime: 0 });
  const save = useAct('file.save');
  const toast = useToast();
  const [to, setTo] = useState('');
  const [saving, setSaving] = useState(false);
  const shown = content.data;
  return (
    <Dialog open onClose={onClose} title={title ?? path} className="wide">
      <Failed error={content.error} />
      {!shown && !content.error && <Waiting lines={6} />}
      {shown && (
        <Look shown={shown} path={path} busy={content.isFetching} onFetch={() => (fetch ? void content.refetch() : get(true))} />
      )}
      {saving && (
        <form
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate(
              { digest: owner ? undefined : digest, owner, of: path, path: to },
              {
                onSuccess: (done) => {
                  setSaving(false);
                  toast(`Saved to ${done.path}`);
                },
              },
            );
          }}
        >
          <input
            type="text"
            className="grow"
            aria-label="Where to save it"
            placeholder="/home/you/file"
            value={to}
            onChange={(e) => setTo(e.target.value)}
          />
          <button type="submit" className="btn primary" disabled={!to.trim() || save.isPending}>
            Save here
          </button>
        </form>
      )}
      <Failed error={save.error} />
      <div className="row between">
        <small className="muted">
          {shown?.size != null && bytes(shown.size)}
          {shown?.digest && (
            <>
              {' '}
              · fingerprint <code title={shown.digest}>{shown.digest.slice(0, 12)}</code>
            </>
          )}
          {shown?.address && ` · ${shown.address}`}
        </small>
        <div className="row">
          <button type="button" className="btn" onClick={() => setSaving(!saving)} aria-expanded={saving}>
            Save…
          </button>
          <button type="button" className="btn" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function Look({ shown, path, busy, onFetch }: { shown: FileShown; path: string; busy: boolean; onFetch: () => void }) {
  const { view } = shown;
  const name = path.split('/').pop() ?? path;
  const more = <Say>Only the beginning is shown; save the file to see all of it.</Say>;
  switch (view.kind) {
    case 'text':
      return (
        <>
          <section className="scroll look" tabIndex={0} aria-label={name}>
            <pre className="mono">{view.text}</pre>
          </section>
          {view.cut && more}
        </>
      );
    case 'markdown':
      return (
        <>
          <section className="scroll look" tabIndex={0} aria-label={name}>
            <Html html={view.html} className="prose" />
          </section>
          {view.cut && more}
        </>
      );
    case 'html':
      return (
        <>
          <Say>A page that somebody made: its scripts do not run here, and it fetches nothing.</Say>
          <iframe className="look frame" sandbox="" srcDoc={view.source} title={name} />
          {view.cut && more}
        </>
      );
    case 'table':
      return (
        <>
          <section className="scroll look" tabIndex={0} aria-label={name}>
            <table>
              <thead>
                <tr>
                  {view.columns.map((c, i) => (
                    <th key={`${i}-${c}`}>
                      {c}
                      {view.types[i] && <div className="muted small">{view.types[i]}</div>}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {view.rows.map((row, i) => (
                  <tr key={i}>
                    {row.map((cell, j) => (
                      <td key={j}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <small className="muted">
            {view.rows.length.toLocaleString('en')} rows shown
            {view.total !== null ? ` of ${view.total.toLocaleString('en')}` : ''}
            {view.more_columns > 0 ? `; ${view.more_columns} more columns` : ''}
          </small>
        </>
      );
    case 'image':
      return <img src={view.data_url} alt={name} className="picture" />;
    case 'audio':
      return (
        // biome-ignore lint/a11y/useMediaCaption: a logged sound has no captions
        <audio controls src={view.data_url} aria-label={name} />
      );
    case 'pages':
      return (
        <>
          <section className="scroll look" tabIndex={0} aria-label={name}>
            {view.pictures.map((p, i) => (
              <img key={i} src={p} alt={`Page ${i + 1} of ${name}`} className="picture sheet" />
            ))}
          </section>
          <small className="muted">
            {view.pictures.length} of {view.total} pages
          </small>
        </>
      );
    case 'notebook':
      return (
        <section className="scroll look stack" tabIndex={0} aria-label={name}>
          <Pieces pieces={view.pieces} />
          {view.more > 0 && <p className="muted">{view.more} more cells</p>}
        </section>
      );
    case 'binary':
      return <p>This file is not of a kind that can be shown. Save it to open it with its own program.</p>;
    case 'broken':
      return <Say tone="warn">{view.why}</Say>;
    case 'elsewhere':
      return (
        <div className="stack">
          <Say tone="warn">
            {view.why}
            {view.hint && <div>{view.hint}</div>}
          </Say>
          {view.can_fetch && (
            <div className="row">
              <button type="button" className="btn primary" disabled={busy} onClick={onFetch}>
                {busy ? 'Getting it…' : `Get the file${shown.size != null ? ` (${bytes(shown.size)})` : ''}`}
              </button>
            </div>
          )}
        </div>
      );
  }
}
