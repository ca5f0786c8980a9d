import { useState } from 'react';
import { Dialog } from '../parts/dialog';
import { type Action, find } from './actions';

/** Everything that can be done, found by typing. */
export function Palette({ open, onClose, all }: { open: boolean; onClose: () => void; all: Action[] }) {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const found = find(all, words).filter((a) => a.id !== 'palette');
  const chosen = found[Math.min(at, found.length - 1)];
  const close = () => {
    onClose();
    setWords('');
    setAt(0);
  };
  const run = (action: Action | undefined) => {
    if (!action || action.disabled) return;
    close();
    action.run();
  };
  return (
    <Dialog open={open} onClose={close} title="Search and do anything" className="palette" hideTitle>
      <input
        type="text"
        role="combobox"
        aria-label="Search and do anything"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen ? `palette-${chosen.id}` : undefined}
        placeholder="What would you like to do?"
        value={words}
        onChange={(e) => {
          setWords(e.target.value);
          setAt(0);
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
          else if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (e.key === 'Enter') run(chosen);
          else return;
          e.preventDefault();
        }}
      />
      <div id="palette-list" role="listbox" aria-label="Actions" className="list-box">
        <div>
          {found.map((action) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the text field above holds the focus and takes the keys
            <div
              className="choice"
              tabIndex={-1}
              key={action.id}
              id={`palette-${action.id}`}
              role="option"
              aria-selected={action === chosen}
              aria-disabled={action.disabled ? true : undefined}
              onClick={() => run(action)}
            >
              <span className="grow">
                {action.label}
                {action.disabled && <small> — {action.disabled}</small>}
              </span>
              {action.keys && <kbd>{action.keys.replace('Mod', 'Ctrl')}</kbd>}
            </div>
          ))}
        </div>
        {found.length === 0 && <p className="empty">Nothing fits these words.</p>}
      </div>
    </Dialog>
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
