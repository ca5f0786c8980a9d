import { useState } from 'react';
import type { ChartSeries } from '../../host/commands.gen';

/** Entries that are shown before somebody asks for all. */
const FEW = 12;

interface Props {
  series: ChartSeries[];
  hidden: readonly string[];
  lit: string | null;
  light: (run: string | null) => void;
  hide: (hidden: string[]) => void;
  /** The series that an entry stands for; itself when left out. */
  members?: (entry: ChartSeries) => string[];
}

/** What the legend calls a series by: several metrics of one run are several. */
export const keyOf = (s: ChartSeries) => `${s.runs.join(',')}|${s.name}`;

/** Names, colours and dashes of the lines; each can be hidden, or shown alone. */
export function Legend({ series, hidden, lit, light, hide, members = (s) => [keyOf(s)] }: Props) {
  const [all, showAll] = useState(false);
  if (series.length < 2) return null;
  const shown = all ? series : series.slice(0, FEW);
  // What is hidden are series; an entry may stand for several of them.
  const parts = members;
  const others = (s: ChartSeries) => series.filter((o) => o !== s).flatMap(parts);
  const isOff = (s: ChartSeries) => parts(s).every((k) => hidden.includes(k));
  const alone = (s: ChartSeries) => !isOff(s) && others(s).every((k) => hidden.includes(k));
  return (
    <ul className="legend" aria-label="Lines">
      {shown.map((s, i) => {
        const key = keyOf(s);
        const off = isOff(s);
        return (
          <li
            // Several metrics of one run have one key.
            key={`${key}/${i}`}
            data-lit={lit === key || undefined}
            onPointerEnter={() => light(key)}
            onPointerLeave={() => light(null)}
          >
            <button
              type="button"
              aria-pressed={!off}
              title={off ? 'Show it' : 'Hide it'}
              onFocus={() => light(key)}
              onBlur={() => light(null)}
              onClick={() => hide(off ? hidden.filter((k) => !parts(s).includes(k)) : [...hidden, ...parts(s)])}
            >
              <svg width="22" height="8" aria-hidden="true">
                <line x1="1" x2="21" y1="4" y2="4" stroke={s.colour} strokeWidth="2.5" strokeDasharray={s.dash || undefined} />
              </svg>
              <span>{s.name}</span>
              {s.last && (
                <span className="muted">
                  {s.last}
                  {s.delta && ` (${s.delta})`}
                  {s.baseline && ' (baseline)'}
                </span>
              )}
            </button>
            <button
              type="button"
              className="only"
              onClick={() => hide(alone(s) ? [] : others(s))}
              aria-label={alone(s) ? 'Show all lines' : `Show only ${s.name}`}
            >
              {alone(s) ? 'all' : 'only'}
            </button>
          </li>
        );
      })}
      {series.length > FEW && (
        <li>
          <button type="button" className="only" aria-expanded={all} onClick={() => showAll(!all)}>
            {all ? 'Fewer' : `All ${series.length.toLocaleString('en')}`}
          </button>
        </li>
      )}
    </ul>
  );
}
