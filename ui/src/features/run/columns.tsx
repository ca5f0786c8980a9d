import { useRef } from 'react';
import type { Chosen, KnownColumns } from './state';

const GROUPS: [keyof Chosen, string, keyof KnownColumns][] = [
  ['metrics', 'Metrics', 'allMetrics'],
  ['params', 'Parameters', 'allParams'],
  ['tags', 'Tags', 'allTags'],
];

/** Which columns a table has. */
export function Columns(props: { known: KnownColumns; columns: Chosen; choose: (columns: Chosen) => void; reset: () => void }) {
  const { known, columns, choose, reset } = props;
  return (
    <section className="card stack" aria-label="Columns of the table">
      <div className="grid3">
        {GROUPS.map(([kind, label, all]) => {
          const keys = [...new Set([...known[all], ...columns[kind]])];
          return (
            <fieldset key={kind} className="stack choices">
              <legend>{label}</legend>
              {keys.length === 0 && <span className="muted">None yet</span>}
              {keys.map((key) => (
                <label key={key} className="check">
                  <input
                    type="checkbox"
                    checked={columns[kind].includes(key)}
                    onChange={(e) =>
                      choose({
                        ...columns,
                        [kind]: e.target.checked ? [...columns[kind], key] : columns[kind].filter((k) => k !== key),
                      })
                    }
                  />
                  {key}
                </label>
              ))}
            </fieldset>
          );
        })}
      </div>
      <div className="row">
        <button type="button" className="btn" onClick={reset}>
          Show what differs
        </button>
      </div>
    </section>
  );
}

/** The edge of a column's head: dragged, or moved with the arrows. */
export function Edge({ label, width, onWidth }: { label: string; width: number | undefined; onWidth: (width: number) => void }) {
  const grip = useRef<HTMLSpanElement>(null);
  const now = () => width ?? Math.round(grip.current?.parentElement?.getBoundingClientRect().width ?? 120);
  const set = (next: number) => onWidth(Math.max(56, Math.min(800, Math.round(next))));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that moves is no hr
    <span
      ref={grip}
      role="separator"
      aria-orientation="vertical"
      aria-label={`Width of ${label}`}
      aria-valuenow={width ?? 120}
      aria-valuemin={56}
      aria-valuemax={800}
      tabIndex={0}
      className="edge"
      onPointerDown={(e) => {
        e.preventDefault();
        const [from, begin] = [e.clientX, now()];
        const move = (m: PointerEvent) => set(begin + m.clientX - from);
        const stop = () => {
          removeEventListener('pointermove', move);
          removeEventListener('pointerup', stop);
        };
        addEventListener('pointermove', move);
        addEventListener('pointerup', stop);
      }}
      onKeyDown={(e) => {
        if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
        e.preventDefault();
        e.stopPropagation();
        set(now() + (e.key === 'ArrowRight' ? 16 : -16));
      }}
    />
  );
}
