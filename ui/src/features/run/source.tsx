import { useState } from 'react';
import { useCommand } from '../../host/cache';
import type { SourceFile } from '../../host/commands.gen';
import { bytes, Empty, Failed, Say, Waiting } from '../../parts/bits';
import { useToast } from '../../parts/toast';
import { FileDialog } from './files';

/** Which code, command and environment made a run, and how to make it again. */
export function Source({ run }: { run: string }) {
  const source = useCommand('run.source', { run });
  const script = useCommand('run.reproduce', { run });
  const [open, show] = useState<{ file: SourceFile; path: string; title: string } | null>(null);
  const toast = useToast();
  if (source.error) return <Failed error={source.error} />;
  if (!source.data) return <Waiting lines={8} />;
  const s = source.data;
  if (!s.known)
    return (
      <Empty title="Where this run came from is not known">{s.missing.join(' ') || 'Its script said nothing of itself.'}</Empty>
    );
  const rows: [string, React.ReactNode][] = [
    ['Command', s.command && <code>{s.command}</code>],
    ['Folder', s.folder && <code>{s.folder}</code>],
    ['Script', !s.command && s.script],
    ['Notebook', s.notebook],
    ['Commit', s.commit && <code>{s.commit}</code>],
    ['Branch', s.branch],
    ['Repository', s.remote && <code>{s.remote}</code>],
    [
      'Changes that were not committed',
      s.changed === 0 ? (
        s.commit && 'None: the commit says it all'
      ) : s.changes ? (
        <>
          {s.changed === 1 ? 'One file' : `${s.changed} files`}{' '}
          <button
            type="button"
            className="btn"
            onClick={() => s.changes && show({ file: s.changes, path: 'changes.patch', title: 'What differed from the commit' })}
          >
            Show the changes
          </button>
        </>
      ) : (
        `${s.changed} files, of which none was kept`
      ),
    ],
    ['Not kept, too large or no text', s.left_out.length > 0 && s.left_out.join(', ')],
    ['Python', s.python],
    [
      'Packages',
      s.packages && (
        <>
          {s.packages_count}{' '}
          <button
            type="button"
            className="btn"
            onClick={() => s.packages && show({ file: s.packages, path: 'requirements.txt', title: 'Packages' })}
          >
            Show the packages
          </button>
        </>
      ),
    ],
    ['System', s.system],
    ['Processor', s.cpu && `${s.cpu}, ${s.cores} cores`],
    ['Memory', s.memory_bytes > 0 && bytes(s.memory_bytes)],
    ['Graphics', s.gpus.length > 0 && s.gpus.join(', ')],
  ];
  return (
    <div className="stack">
      {s.missing.map((why) => (
        <Say key={why}>{why}</Say>
      ))}
      <section className="card" aria-label="Source">
        <table>
          <tbody>
            {rows
              .filter(([, value]) => value)
              .map(([label, value]) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>{value}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </section>
      {script.data && (
        <section className="card stack">
          <div className="row between">
            <h2>Make it again</h2>
            <button
              type="button"
              className="btn"
              onClick={() => void navigator.clipboard.writeText(script.data.script).then(() => toast('The commands are copied'))}
            >
              Copy the commands
            </button>
          </div>
          {script.data.caveats.map((c) => (
            <Say key={c} tone="warn">
              {c}
            </Say>
          ))}
          <section className="scroll" tabIndex={0} aria-label="Commands that make the run again">
            <pre className="mono">{script.data.script}</pre>
          </section>
        </section>
      )}
      {open && <FileDialog path={open.path} title={open.title} digest={open.file.digest} onClose={() => show(null)} />}
    </div>
  );
}
