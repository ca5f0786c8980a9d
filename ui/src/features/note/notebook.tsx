import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { CellPair, FileRef, NotebookRow, SubjectRef } from '../../host/commands.gen';
import { Badge, Empty, Failed, Say, Time, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { Lines, Pieces } from '../../parts/pieces';

/** A notebook that belongs to a record: folded until somebody looks. */
export function Notebook({ digest, name, about }: { digest: string; name: string; about?: SubjectRef }) {
  const [open, show] = useState(false);
  const [comparing, compare] = useState(false);
  const file: FileRef = { digest, path: name };
  return (
    <div className="notebook stack">
      <div className="row between">
        <button type="button" className="btn" aria-expanded={open} onClick={() => show(!open)}>
          {open ? 'Fold' : 'Look at'} the notebook {name}
        </button>
        {about && (
          <button type="button" className="btn plain" onClick={() => compare(true)}>
            Compare<span className="sr"> {name}</span> with another…
          </button>
        )}
      </div>
      {open && <Look file={file} name={name} />}
      {comparing && about && <Compare file={file} name={name} about={about} onClose={() => compare(false)} />}
    </div>
  );
}

function Look({ file, name }: { file: FileRef; name: string }) {
  const found = useCommand('file.view', { ...file });
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={6} />;
  const { view } = found.data;
  if (view.kind === 'broken') return <Say tone="warn">{view.why}</Say>;
  if (view.kind !== 'notebook') return <Say tone="warn">The notebook is not on this computer yet. Share, and it comes.</Say>;
  return (
    <section className="card scroll look stack" tabIndex={0} aria-label={`Notebook ${name}`}>
      <Pieces pieces={view.pieces} />
      {view.more > 0 && <p className="muted">{view.more} more cells</p>}
    </section>
  );
}

/** First which one, then both side by side. */
function Compare({ file, name, about, onClose }: { file: FileRef; name: string; about: SubjectRef; onClose: () => void }) {
  const all = useCommand('notebook.list', { about });
  const [other, choose] = useState<NotebookRow | null>(null);
  const others = all.data?.filter((n) => n.file.digest !== file.digest) ?? [];
  return (
    <Dialog open onClose={onClose} title={other ? 'Two notebooks, cell by cell' : `Compare ${name} with`} className="wide">
      <Failed error={all.error} />
      {!all.data && !all.error && <Waiting lines={4} />}
      {all.data && others.length === 0 && (
        <Empty title="No other notebook">
          Put an earlier one into a note of this project, or log one with a run; then the two can stand side by side.
        </Empty>
      )}
      {!other && others.length > 0 && (
        <ul className="list" aria-label="Notebooks of this project">
          {others.map((n) => (
            <li key={JSON.stringify(n.file)}>
              <button type="button" className="item" onClick={() => choose(n)}>
                <div className="grow">
                  <div>{n.name}</div>
                  <div className="muted small">
                    {n.place}, {n.by.name}
                  </div>
                </div>
                <Time ms={n.at_ms} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {other && <Difference left={other} right={{ file, name }} back={() => choose(null)} />}
    </Dialog>
  );
}

const WORDS: Record<string, { label: string; tone?: 'good' | 'bad' | 'warn' | 'accent' }> = {
  same: { label: 'Same' },
  outputs: { label: '≈ Other outputs', tone: 'warn' },
  changed: { label: '✎ Changed', tone: 'accent' },
  removed: { label: '− Only on the left', tone: 'bad' },
  added: { label: '+ Only on the right', tone: 'good' },
};

function Difference({ left, right, back }: { left: NotebookRow; right: { file: FileRef; name: string }; back: () => void }) {
  const found = useCommand('notebook.compare', { left: left.file, right: right.file });
  const [all, showAll] = useState(false);
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={8} />;
  const shown = all ? found.data.cells : found.data.cells.filter((c) => c.change !== 'same');
  const equal = found.data.cells.length - found.data.cells.filter((c) => c.change !== 'same').length;
  return (
    <div className="stack">
      <div className="row between">
        <p role="status">{found.data.summary}</p>
        <div className="row">
          {equal > 0 && equal < found.data.cells.length && (
            <label className="check">
              <input type="checkbox" checked={all} onChange={(e) => showAll(e.target.checked)} /> Show the {equal} equal ones, too
            </label>
          )}
          <button type="button" className="btn plain" onClick={back}>
            Choose another
          </button>
        </div>
      </div>
      <div className="sides small">
        <div>
          <strong>{left.name}</strong>
          <div className="muted">
            {left.place}, {left.by.name}, <Time ms={left.at_ms} />
          </div>
        </div>
        <div>
          <strong>{right.name}</strong>
          <div className="muted">The one in this note</div>
        </div>
      </div>
      <section className="scroll look stack" aria-label="Cells side by side" tabIndex={0}>
        {shown.map((pair) => (
          <Pair key={`${pair.left?.number ?? '-'}/${pair.right?.number ?? '-'}`} pair={pair} />
        ))}
      </section>
    </div>
  );
}

function Pair({ pair }: { pair: CellPair }) {
  const word = WORDS[pair.change] ?? { label: pair.change };
  const place = [pair.left && `cell ${pair.left.number} on the left`, pair.right && `cell ${pair.right.number} on the right`];
  return (
    <article className="stack pair">
      <div className="row">
        <Badge tone={word.tone}>{word.label}</Badge>
        <small className="muted">{place.filter(Boolean).join(' and ')}</small>
      </div>
      {pair.lines.length > 0 && <Lines lines={pair.lines} />}
      <div className={pair.change === 'same' ? 'stack' : 'sides'}>
        <div className="stack">{pair.left ? <Pieces pieces={rest(pair, pair.left.pieces)} /> : null}</div>
        <div className="stack">{pair.right ? <Pieces pieces={rest(pair, pair.right.pieces)} /> : null}</div>
      </div>
    </article>
  );
}

/** Of a cell whose lines are shown already only the outputs stand side by side. */
const rest = <T,>(pair: CellPair, pieces: T[]) => (pair.lines.length > 0 ? pieces.slice(1) : pieces);
