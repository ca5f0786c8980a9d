import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Note, SubjectRef } from '../../host/commands.gen';
import { Badge, bytes, Empty, Failed, Time } from '../../parts/bits';
import { Lines } from '../../parts/pieces';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';
import { Threads } from '../comment/threads';
import { Backlinks } from '../find/pick';
import { Delete } from '../record/delete';
import { FileDialog } from '../run/files';
import { Editor } from './editor';
import { Parts } from './parts';

/** Notes about a record, in Markdown. */
export function Notes({ about }: { about: SubjectRef }) {
  const notes = useCommand('note.list', { about });
  const [writing, write] = useState<Note | 'new' | null>(null);
  return (
    <section className="stack" aria-label="Notes">
      <div className="row between">
        <h2>Notes</h2>
        {writing === null && (
          <button type="button" className="btn" onClick={() => write('new')}>
            Write a note
          </button>
        )}
      </div>
      <Failed error={notes.error} />
      {writing === 'new' && <Editor about={about} onClose={() => write(null)} />}
      {notes.data?.length === 0 && writing === null && (
        <div className="card">
          <Empty title="No notes yet">What did you try, what did you learn? A few lines now save a day later.</Empty>
        </div>
      )}
      {notes.data?.map((note) =>
        writing !== 'new' && writing?.id === note.id ? (
          <Editor key={note.id} about={about} note={note} onClose={() => write(null)} />
        ) : (
          <NoteCard key={note.id} note={note} edit={() => write(note)} />
        ),
      )}
    </section>
  );
}

function NoteCard({ note, edit }: { note: Note; edit: () => void }) {
  const save = useAct('note.save');
  const subject = { kind: 'note', id: note.id };
  const [open, show] = useState<'talk' | 'past' | null>(null);
  return (
    <article className="card stack">
      <div className="row between">
        <h3>{note.title}</h3>
        <div className="row">
          <small className="muted">
            {note.by.name}, <Time ms={note.edited_ms} />
          </small>
          <button type="button" className="btn plain" onClick={edit}>
            Edit<span className="sr">: {note.title}</span>
          </button>
          <Delete subject={subject} said={`"${note.title}"`} name={note.title} />
        </div>
      </div>
      {note.merged.length > 1 && (
        <p className="small muted">
          Brought together from edits of {[...new Set(note.merged.map((p) => p.name))].join(' and ')}.
        </p>
      )}
      <BothChanged
        versions={note.versions}
        keep={(text) => save.mutate({ note: note.id, about: note.about, title: note.title, text, base: note.base })}
      />
      <Parts parts={note.parts} about={note.about} />
      <Evidence note={note} />
      <Backlinks kind="note" id={note.id} />
      <div className="row">
        <button
          type="button"
          className="btn plain"
          aria-expanded={open === 'talk'}
          onClick={() => show(open === 'talk' ? null : 'talk')}
        >
          Comments<span className="sr"> on {note.title}</span>
        </button>
        <button
          type="button"
          className="btn plain"
          aria-expanded={open === 'past'}
          onClick={() => show(open === 'past' ? null : 'past')}
        >
          History<span className="sr"> of {note.title}</span>
        </button>
      </div>
      {open === 'talk' && <Threads about={subject} title={`Comments on ${note.title}`} />}
      {open === 'past' && <History note={note} />}
      <Failed error={save.error} />
    </article>
  );
}

/** What the note showed when somebody kept it, and the button that keeps it. */
function Evidence({ note }: { note: Note }) {
  const freeze = useAct('note.freeze');
  const toast = useToast();
  const [open, show] = useState<string | null>(null);
  const charts = note.parts.some((p) => p.kind === 'chart');
  if (!charts && note.frozen.length === 0) return null;
  return (
    <div className="row small">
      {note.frozen.map((f) => (
        <button key={f.digest} type="button" className="btn" onClick={() => show(f.digest)} title={f.digest}>
          <Badge tone="accent">Kept as evidence</Badge> {f.digest.slice(0, 10)}, {bytes(f.size)}
        </button>
      ))}
      <button
        type="button"
        className="btn"
        disabled={freeze.isPending}
        title="Charts change while runs go on; what is kept stays as it is, and its fingerprint proves it"
        onClick={() => freeze.mutate({ note: note.id }, { onSuccess: () => toast(`Kept what "${note.title}" shows now`) })}
      >
        Keep what it shows now as evidence
      </button>
      <Failed error={freeze.error} />
      {open && <FileDialog path="report.html" title={`${note.title}, as it was kept`} digest={open} onClose={() => show(null)} />}
    </div>
  );
}

/** What it said before, with what each edit changed. */
function History({ note }: { note: Note }) {
  const versions = useCommand('note.history', { note: note.id });
  const save = useAct('note.save');
  const toast = useToast();
  if (versions.error) return <Failed error={versions.error} />;
  return (
    <ol className="stack history" aria-label={`History of ${note.title}`}>
      {versions.data?.map((v, i) => (
        <li key={v.op}>
          <div className="row between">
            <small>
              <strong>{v.by.name}</strong> <Time ms={v.at_ms} /> {i === 0 && <Badge>newest</Badge>}
            </small>
            {i > 0 && (
              <button
                type="button"
                className="btn plain"
                onClick={() =>
                  save.mutate(
                    { note: note.id, about: note.about, title: v.title, text: v.text, base: note.base },
                    { onSuccess: () => toast('The earlier text stands again.') },
                  )
                }
              >
                Take this text again
              </button>
            )}
          </div>
          {v.changes.length === 0 && <small className="muted">Only the title changed.</small>}
          <Lines lines={v.changes} />
        </li>
      ))}
      <Failed error={save.error} />
    </ol>
  );
}
