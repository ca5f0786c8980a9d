import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { ChartSpec, Note, RunSet, SubjectRef } from '../../host/commands.gen';
import { Badge, bytes, Empty, Failed, Time } from '../../parts/bits';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';
import { ChartEditor } from '../chart/edit';
import { ALL_RUNS, PLAIN } from '../chart/spec';
import { FileDialog } from '../run/files';
import { Parts, Preview } from './parts';

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
      <Parts parts={note.parts} />
      <Evidence note={note} />
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
  const [inserting, insert] = useState(false);
  const [previewing, preview] = useState(false);
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
        <span className="hint">You may use Markdown: **bold**, - lists, tables. A chart is put in as a few lines of text.</span>
      </label>
      <div className="row">
        <button type="button" className="btn" onClick={() => insert(true)}>
          Put in a chart…
        </button>
        <button type="button" className="btn" aria-pressed={previewing} onClick={() => preview(!previewing)}>
          {previewing ? 'Hide the preview' : 'Preview'}
        </button>
      </div>
      {previewing && <Preview text={text} />}
      {inserting && (
        <ChartEditor
          spec={PLAIN}
          of={runsAbout(about)}
          section=""
          title="Put a chart into the text"
          verb="Put it in"
          busy={false}
          onClose={() => insert(false)}
          onSave={(spec) => {
            const next = `${text.trimEnd()}\n\n${fenced(spec, about)}\n`;
            setText(next);
            keep({ title, text: next });
            insert(false);
            preview(true);
          }}
        />
      )}
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

/** The runs that a chart in a note about something is about, unless it says otherwise. */
function runsAbout(about: SubjectRef): RunSet {
  if (about.kind === 'project') return { ...ALL_RUNS, project: about.id };
  if (about.kind === 'run') return { ...ALL_RUNS, runs: [about.id] };
  return ALL_RUNS;
}

/** A chart as the text of a note has it: only what somebody chose. */
function fenced(spec: ChartSpec, about: SubjectRef): string {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(spec)) {
    if (JSON.stringify(value) === JSON.stringify(PLAIN[key as keyof ChartSpec]) && key !== 'kind') continue;
    lines.push(`${key}: ${JSON.stringify(value)}`);
  }
  const of = runsAbout(about);
  if (of.project) lines.push(`project: ${JSON.stringify(of.project)}`);
  if (of.runs.length > 0) lines.push(`runs: ${JSON.stringify(of.runs)}`);
  return `\`\`\`chart\n${lines.join('\n')}\n\`\`\``;
}
