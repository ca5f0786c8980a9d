import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Note, SubjectRef } from '../../host/commands.gen';
import { Empty, Failed, Time } from '../../parts/bits';
import { Html } from '../../parts/html';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';

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
  const remove = useAct('record.delete');
  const save = useAct('note.save');
  const toast = useToast();
  const subject = { kind: 'note', id: note.id };
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
          <button
            type="button"
            className="btn plain"
            onClick={() =>
              remove.mutate(
                { subject, restore: false },
                { onSuccess: () => toast(`Deleted "${note.title}".`, () => remove.mutate({ subject, restore: true })) },
              )
            }
          >
            Delete<span className="sr">: {note.title}</span>
          </button>
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
      <Html className="prose" html={note.html} />
      <Failed error={remove.error ?? save.error} />
    </article>
  );
}

function Editor({ about, note, onClose }: { about: SubjectRef; note?: Note; onClose: () => void }) {
  const save = useAct('note.save');
  const key = `draft-${note?.id ?? `${about.kind}/${about.id}`}`;
  const kept = JSON.parse(localStorage.getItem(key) ?? 'null') as { title: string; text: string } | null;
  const [title, setTitle] = useState(kept?.title ?? note?.title ?? '');
  const [text, setText] = useState(kept?.text ?? note?.text ?? '');
  // A draft survives a crash.
  const keep = (next: { title: string; text: string }) => localStorage.setItem(key, JSON.stringify(next));
  const close = () => {
    localStorage.removeItem(key);
    onClose();
  };
  return (
    <form
      className="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate({ note: note?.id, about, title, text, base: note?.base }, { onSuccess: close });
      }}
    >
      <label className="field">
        Title
        <input
          type="text"
          value={title}
          required
          onChange={(e) => {
            setTitle(e.target.value);
            keep({ title: e.target.value, text });
          }}
        />
      </label>
      <label className="field">
        Text
        <textarea
          rows={8}
          value={text}
          onChange={(e) => {
            setText(e.target.value);
            keep({ title, text: e.target.value });
          }}
        />
        <span className="hint">You may use Markdown: **bold**, - lists, tables.</span>
      </label>
      <Failed error={save.error} />
      <div className="row">
        <button type="submit" className="btn primary" disabled={save.isPending}>
          Save the note
        </button>
        <button type="button" className="btn plain" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}
