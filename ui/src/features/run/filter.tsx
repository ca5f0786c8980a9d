import { useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useCommand } from '../../host/cache';
import type { Completion } from '../../host/commands.gen';

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** The filter is to be used now. */
  onApply: (value: string) => void;
}

/** A field for a filter that says what may stand next: arrows choose, Tab or Enter takes, Esc closes. */
export function FilterField({ value, onChange, onApply }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const found = useCommand('run.complete', { text: value, cursor }, { enabled: open });
  // What is offered belongs to the text that stands there: an answer to fewer letters would replace fewer.
  const all: Completion[] = open && !found.isPlaceholderData ? (found.data?.suggestions ?? []) : [];
  const shown = open && all.length > 0;
  const follow = () => {
    const place = input.current?.selectionStart ?? value.length;
    // The core counts characters, the field counts UTF-16 units.
    setCursor([...value.slice(0, place)].length);
  };
  const take = (choice: Completion) => {
    if (!found.data) return;
    const chars = [...value];
    const head = `${chars.slice(0, found.data.from).join('')}${choice.text} `;
    const rest = chars.slice(found.data.to).join('').trimStart();
    // At once: whoever types on must not have the caret put back behind what was taken.
    flushSync(() => {
      onChange(head + rest);
      setAt(-1);
      setCursor([...head].length);
    });
    input.current?.focus();
    input.current?.setSelectionRange(head.length, head.length);
  };
  return (
    <div className="grow filter">
      <input
        ref={input}
        type="search"
        role="combobox"
        aria-label="Filter the runs"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && at >= 0 ? `${list}-${at}` : undefined}
        placeholder="Filter, for example: metrics.accuracy > 0.9 and params.model = 'forest'"
        autoComplete="off"
        spellCheck={false}
        value={value}
        onFocus={() => {
          follow();
          setOpen(true);
        }}
        onClick={() => {
          follow();
          setOpen(true);
        }}
        onBlur={() => setOpen(false)}
        onChange={(e) => {
          const place = e.target.selectionStart ?? e.target.value.length;
          setCursor([...e.target.value.slice(0, place)].length);
          setOpen(true);
          setAt(-1);
          onChange(e.target.value);
        }}
        onKeyDown={(e) => {
          if (e.key === 'Escape' && shown) {
            e.preventDefault();
            setOpen(false);
          } else if (shown && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
            e.preventDefault();
            const step = e.key === 'ArrowDown' ? 1 : -1;
            setAt((at + step + all.length + (at < 0 && step < 0 ? 1 : 0)) % all.length);
          } else if (shown && (e.key === 'Enter' || e.key === 'Tab') && all[at]) {
            e.preventDefault();
            take(all[at]);
          } else if (e.key === 'Enter') {
            e.preventDefault();
            setOpen(false);
            onApply(value);
          }
        }}
        onKeyUp={(e) => (e.key === 'ArrowLeft' || e.key === 'ArrowRight' || e.key === 'Home' || e.key === 'End') && follow()}
      />
      <div id={list} role="listbox" aria-label="What may stand next" className="suggestions" hidden={!shown}>
        {all.map((s, i) => (
          <div
            key={s.text}
            id={`${list}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            onPointerDown={(e) => {
              // The field keeps the focus.
              e.preventDefault();
              take(s);
            }}
          >
            <code>{s.text}</code> <small className="muted">{s.about}</small>
          </div>
        ))}
      </div>
    </div>
  );
}
