import { useDeferredValue, useEffect, useRef, useState } from 'react';
import decision from '../../../../assets/notes/decision.md?raw';
import errors from '../../../../assets/notes/error-analysis.md?raw';
import incident from '../../../../assets/notes/incident.md?raw';
import meeting from '../../../../assets/notes/meeting.md?raw';
import { useAct } from '../../host/cache';
import type { ChartSpec, Note, RunSet, SubjectRef } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { ChartEditor } from '../chart/edit';
import { ALL_RUNS, PLAIN } from '../chart/spec';
import { PickLink } from '../find/pick';
import { Preview } from './parts';

/** One table: what a note can begin with. */
const TEMPLATES: [string, string, string][] = [
  ['Meeting', 'Meeting', meeting],
  ['Decision record', 'Decision: ', decision],
  ['Error analysis', 'Error analysis', errors],
  ['Incident', 'Incident: ', incident],
];

/** A note while it is written: the text on one side, on the other what it will look like. */
export function Editor({ about, note, onClose }: { about: SubjectRef; note?: Note; onClose: () => void }) {
  const save = useAct('note.save');
  const attach = useAct('note.attach');
  const key = `draft-${note?.id ?? `${about.kind}/${about.id}`}`;
  const kept = JSON.parse(localStorage.getItem(key) ?? 'null') as { title: string; text: string; base?: string } | null;
  // What was shown when the writing began: an edit of somebody else that comes meanwhile must not be taken for known.
  const [base] = useState(kept ? kept.base : note?.base);
  const [title, setTitle] = useState(kept?.title ?? note?.title ?? '');
  const [text, setText] = useState(kept?.text ?? note?.text ?? '');
  const [inserting, insert] = useState<'chart' | 'link' | null>(null);
  const [attaching, setAttaching] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const size = new TextEncoder().encode(text).length;
  // A draft survives a crash; one that is too large for that is held by the page alone, and what was kept goes.
  const keep = (next: { title: string; text: string }) => {
    try {
      localStorage.setItem(key, JSON.stringify({ ...next, base }));
    } catch {
      localStorage.removeItem(key);
    }
  };
  // The newest text, for what is put in after a moment, such as a picture.
  const newest = useRef(text);
  const type = (next: string) => {
    newest.current = next;
    setText(next);
    keep({ title, text: next });
  };
  const close = () => {
    localStorage.removeItem(key);
    onClose();
  };
  /** Puts something in where the cursor stands. */
  const put = (what: string) => {
    const now = newest.current;
    const from = field.current?.selectionStart ?? now.length;
    const to = field.current?.selectionEnd ?? from;
    // The sign that asked for a link goes with it.
    const before = what.startsWith('[') ? now.slice(0, from).replace(/@$/, '') : now.slice(0, from);
    type(`${before}${what}${now.slice(to)}`);
    setTimeout(() => {
      field.current?.focus();
      field.current?.setSelectionRange(before.length + what.length, before.length + what.length);
    }, 0);
  };
  const paste = async (chosen: File[]) => {
    // Saved meanwhile the note would be without it.
    setAttaching((n) => n + 1);
    // One after the other: each is put in where the cursor is then.
    for (const file of chosen) {
      const content = await new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
        // Such as a folder: what arrives is refused in words.
        reader.onerror = () => resolve('');
        reader.readAsDataURL(file);
      });
      const done = await attach.mutateAsync({ subject: about, name: file.name, content }).catch(() => null);
      if (done) put(`\n\n${done.markdown}\n\n`);
    }
    setAttaching((n) => n - 1);
  };
  const files = (list: FileList | null | undefined) =>
    [...(list ?? [])].filter((f) => f.type.startsWith('image/') || f.name.toLowerCase().endsWith('.ipynb'));
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <form
      className="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate({ note: note?.id, about, title, text, base }, { onSuccess: close });
      }}
    >
      {!note && text.trim() === '' && (
        <div className="row">
          <span className="muted small">Begin with:</span>
          {TEMPLATES.map(([label, heading, body]) => (
            <button
              key={label}
              type="button"
              className="btn"
              onClick={() => {
                if (!title.trim()) setTitle(heading);
                type(body);
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
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
      <div className="writing">
        <label className="field">
          Text
          <textarea
            ref={field}
            rows={14}
            value={text}
            onChange={(e) => {
              type(e.target.value);
              if (
                e.target.value.endsWith('@', e.target.selectionStart) &&
                /(^|\s)@$/.test(e.target.value.slice(0, e.target.selectionStart))
              )
                insert('link');
            }}
            onPaste={(e) => {
              const pasted = files(e.clipboardData?.files);
              if (pasted.length === 0) return;
              e.preventDefault();
              void paste(pasted);
            }}
            onDrop={(e) => {
              const dropped = files(e.dataTransfer?.files);
              if (dropped.length === 0) return;
              e.preventDefault();
              void paste(dropped);
            }}
          />
          <span className="hint">
            Markdown: **bold**, - lists, tables, `code`, $formulas$. @ links a person or a record; pictures and notebooks can be
            pasted or dropped.
          </span>
        </label>
        <Live text={text} />
      </div>
      <div className="row">
        <button type="button" className="btn" onClick={() => insert('link')}>
          Link a person or a record…
        </button>
        <button type="button" className="btn" onClick={() => insert('chart')}>
          Put in a chart…
        </button>
        <button type="button" className="btn" onClick={() => chooser.current?.click()}>
          Put in a picture or a notebook…
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          multiple
          accept="image/png,image/jpeg,image/gif,image/webp,.ipynb"
          aria-label="Pictures and notebooks"
          onChange={(e) => {
            void paste(files(e.target.files));
            e.target.value = '';
          }}
        />
        {size > 40_000 && (
          <small className={size > 48 * 1024 ? 'late' : 'muted'}>
            {Math.round(size / 1024)} of 48 KB{size > 48 * 1024 && ': too long for one note; what you wrote is kept here'}
          </small>
        )}
      </div>
      {inserting === 'link' && (
        <PickLink
          onClose={() => insert(null)}
          onPick={(link) => {
            insert(null);
            put(`${link} `);
          }}
        />
      )}
      {inserting === 'chart' && (
        <ChartEditor
          spec={PLAIN}
          of={runsAbout(about)}
          section=""
          title="Put a chart into the text"
          verb="Put it in"
          busy={false}
          onClose={() => insert(null)}
          onSave={(spec) => {
            insert(null);
            put(`\n\n${fenced(spec, about)}\n\n`);
          }}
        />
      )}
      <Failed error={save.error ?? attach.error} />
      <div className="row">
        <button type="submit" className="btn primary" disabled={save.isPending || attaching > 0}>
          {attaching > 0 ? 'Putting it in…' : 'Save the note'}
        </button>
        <button type="button" className="btn plain" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** Characters that are drawn again with every key. */
const PREVIEW_MAX = 100_000;

/** What it will look like, a moment after the last key. */
function Live({ text }: { text: string }) {
  const [still, setStill] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setStill(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  const shown = useDeferredValue(still);
  if (shown.length > PREVIEW_MAX) return <p className="muted small">This is too long to be shown while you type.</p>;
  return shown.trim() === '' ? <p className="muted small">Here you see what it will look like.</p> : <Preview text={shown} />;
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
