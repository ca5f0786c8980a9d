import { useDeferredValue, useEffect, useState } from 'react';
import { KindIcon, kindOf, pathOf } from '../features/find/kinds';
import { useCommand } from '../host/cache';
import type { Found } from '../host/commands.gen';
import { Dialog } from '../parts/dialog';
import { type Action, find } from './actions';

/** A line that can be chosen: something to do, or a record that was found. */
interface Choice {
  id: string;
  label: string;
  more?: string;
  kind?: string;
  keys?: string;
  disabled?: string;
  run: () => void;
}

interface Seen {
  path: string;
  label: string;
  kind: string;
}

const RECENT = 'recent';
const read = (): Seen[] => JSON.parse(localStorage.getItem(RECENT) ?? '[]') as Seen[];

/** Remembers where somebody went from here, the newest first. */
function remember(seen: Seen) {
  const all = [seen, ...read().filter((s) => s.path !== seen.path)].slice(0, 8);
  localStorage.setItem(RECENT, JSON.stringify(all));
}

/** Everything that can be done and everything that was written, found by typing. */
export function Palette({
  open,
  onClose,
  all,
  go,
}: {
  open: boolean;
  onClose: () => void;
  all: Action[];
  go: (to: string) => void;
}) {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  // Typing never waits for what is found.
  const asked = useDeferredValue(words);
  const records = useCommand('search.find', { words: asked, kinds: [], limit: 20 }, { enabled: open && asked.trim().length > 1 });
  const visit = (path: string, label: string, kind: string) => () => {
    remember({ path, label, kind });
    go(path);
  };
  const doing: Choice[] = find(all, words)
    .filter((a) => a.id !== 'palette' && (words.trim() !== '' || !a.id.startsWith('project-')))
    .slice(0, words.trim() ? 8 : 30);
  const found: Choice[] =
    words.trim().length > 1 && records.data
      ? records.data
          // A project that can be opened stands among the actions already.
          .filter((f) => !(f.kind === 'project' && doing.some((a) => a.id === `project-${f.id}`)))
          .map((f) => choiceOf(f, visit))
      : [];
  const recent: Choice[] =
    words.trim() === ''
      ? read().map((s) => ({ id: s.path, label: s.label, kind: s.kind, run: visit(s.path, s.label, s.kind) }))
      : [];
  const choices = [...recent, ...doing, ...found];
  const chosen = choices[Math.min(at, choices.length - 1)];
  const close = () => {
    onClose();
    setWords('');
    setAt(0);
  };
  const run = (choice: Choice | undefined) => {
    if (!choice || choice.disabled) return;
    close();
    choice.run();
  };
  const chosenId = chosen ? `palette-${chosen.id}` : undefined;
  useEffect(() => {
    if (chosenId) document.getElementById(chosenId)?.scrollIntoView({ block: 'nearest' });
  }, [chosenId]);
  const group = (title: string, part: Choice[]) =>
    part.length > 0 && (
      // biome-ignore lint/a11y/useSemanticElements: a group of options has no element of its own
      <div role="group" aria-label={title}>
        <div className="group" aria-hidden>
          {title}
        </div>
        {part.map((c) => (
          <Line key={c.id} choice={c} selected={c === chosen} run={() => run(c)} />
        ))}
      </div>
    );
  return (
    <Dialog open={open} onClose={close} title="Search and do anything" className="palette" hideTitle>
      <input
        type="text"
        role="combobox"
        aria-label="Search and do anything"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosenId}
        placeholder="Find anything, or what would you like to do?"
        value={words}
        onChange={(e) => {
          setWords(e.target.value);
          setAt(0);
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt(Math.min(at + 1, choices.length - 1));
          else if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (e.key === 'Enter') run(chosen);
          else return;
          e.preventDefault();
        }}
      />
      <div id="palette-list" role="listbox" aria-label="Actions and records" className="list-box">
        {group('Recent', recent)}
        {group('Do', doing)}
        {group('Found', found)}
        {choices.length === 0 && !records.isFetching && <p className="empty">Nothing fits these words.</p>}
      </div>
      <p className="small muted palette-hint">type:note, type:finding, type:run… and in:a-word-of-the-project narrow it.</p>
    </Dialog>
  );
}

function choiceOf(f: Found, visit: (path: string, label: string, kind: string) => () => void): Choice {
  const about = f.about ?? f;
  const label = f.title || kindOf(f.kind);
  const more = [kindOf(f.kind), f.project_title !== f.title ? f.project_title : null, f.snippet].filter(Boolean).join(' · ');
  return {
    id: `${f.kind}-${f.id}`,
    label,
    more,
    kind: f.kind,
    run: visit(pathOf(about.kind, about.id, f.project), label, f.kind),
  };
}

function Line({ choice, selected, run }: { choice: Choice; selected: boolean; run: () => void }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the text field above holds the focus and takes the keys
    <div
      className="choice"
      tabIndex={-1}
      id={`palette-${choice.id}`}
      role="option"
      aria-selected={selected}
      aria-disabled={choice.disabled ? true : undefined}
      onClick={run}
    >
      {choice.kind && <KindIcon kind={choice.kind} />}
      <span className="grow">
        {choice.label}
        {choice.disabled && <small> — {choice.disabled}</small>}
        {choice.more && <small className="muted more">{choice.more}</small>}
      </span>
      {choice.keys && <kbd>{choice.keys.replace('Mod', 'Ctrl')}</kbd>}
    </div>
  );
}

/** The shortcut sheet, from the same table. */
export function ShortcutSheet({ open, onClose, all }: { open: boolean; onClose: () => void; all: Action[] }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <table>
        <tbody>
          {all
            .filter((a) => a.keys)
            .map((a) => (
              <tr key={a.id}>
                <td>{a.label}</td>
                <td className="right">
                  <kbd>{a.keys?.replace('Mod', 'Ctrl')}</kbd>
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      <p className="muted">Esc closes what is open. Tab and the arrow keys move; Enter opens.</p>
    </Dialog>
  );
}
