import { AlertTriangle, Info, Mountain } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "2 minutes ago". */
export function ago(ms: number, now = Date.now()): string {
  const past = ms - now;
  for (const [unit, size] of UNITS) if (Math.abs(past) >= size) return relative.format(Math.round(past / size), unit);
  return 'just now';
}

/** A relative time with the exact one on hover. */
export function Time({ ms }: { ms: number }) {
  // What others wrote may be no time at all.
  if (!(Math.abs(ms) <= 8.64e15)) return <span>at an unknown time</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toLocaleString()}>
      {ago(ms)}
    </time>
  );
}

/** A measured number as people read it: at most four digits; the exact value on hover. */
export function short(text: string | undefined): string {
  if (text === undefined || text === '') return '–';
  const value = Number(text);
  if (Number.isNaN(value)) return text;
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

export function Num({ value }: { value: string | undefined }) {
  return <span title={value}>{short(value)}</span>;
}

export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A heading or role inside a sentence; "ML engineer" keeps its capitals. */
export function lower(text: string): string {
  return /^[A-Z]{2}/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'accent' | 'plain';

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

/** One table: the state of a release or run → its word and tone. */
const STATES: Record<string, [string, Tone]> = {
  waiting: ['Waiting for a decision', 'info'],
  approved: ['✓ Approved', 'good'],
  rejected: ['✕ Rejected', 'bad'],
  sent_back: ['↩ Sent back', 'warn'],
  stale: ['⚠ Stale', 'warn'],
  withdrawn: ['Withdrawn', 'plain'],
  undetermined: ['⚠ Undetermined', 'warn'],
  taken_back: ['↩ Approval taken back', 'bad'],
  void: ['⚠ Does not hold', 'warn'],
  RUNNING: ['● Running', 'info'],
  FINISHED: ['✓ Finished', 'good'],
  FAILED: ['✕ Failed', 'bad'],
  KILLED: ['✕ Stopped', 'bad'],
  SCHEDULED: ['Scheduled', 'plain'],
  open: ['To be picked up', 'info'],
  picked_up: ['In work', 'accent'],
  handed_back: ['↩ Handed back', 'warn'],
  completed: ['→ Handed over', 'accent'],
  received: ['Being looked at', 'accent'],
  accepted: ['✓ Accepted', 'good'],
};

export function State({ state }: { state: string }) {
  const [word, tone] = STATES[state] ?? [state, 'plain'];
  return <Badge tone={tone}>{word}</Badge>;
}

export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Mountain size={32} aria-hidden />
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

export interface Failure {
  message: string;
  hint?: string;
  details?: string;
}

/** An error as people meet it: what happened, what to do, and the details folded away. */
export function Failed({ error }: { error: Failure | null | undefined }) {
  if (!error) return null;
  return (
    <div className="note bad" role="alert">
      <AlertTriangle size={16} aria-hidden />
      <div>
        <strong>{error.message}</strong>
        {error.hint && <div>{error.hint}</div>}
        {error.details && (
          <details>
            <summary>Details</summary>
            <pre className="mono">{error.details}</pre>
          </details>
        )}
      </div>
    </div>
  );
}

export function Say({ tone = 'info', children }: { tone?: 'info' | 'warn' | 'good'; children: ReactNode }) {
  return (
    <div className={`note ${tone}`}>
      {tone === 'warn' ? <AlertTriangle size={16} aria-hidden /> : <Info size={16} aria-hidden />}
      <div className="grow">{children}</div>
    </div>
  );
}

/** Nothing for 200 ms, then room of the final size. */
export function Waiting({ lines = 4 }: { lines?: number }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 200);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <div className="stack" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} className="skeleton" />
      ))}
    </div>
  );
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 512 512" aria-hidden="true">
      <rect width="512" height="512" rx="112" fill="#0f3d3e" />
      <ellipse cx="256" cy="392" rx="156" ry="44" fill="#f2efe6" />
      <ellipse cx="262" cy="306" rx="112" ry="40" fill="#d9d3c1" />
      <ellipse cx="248" cy="228" rx="78" ry="34" fill="#f2efe6" />
      <ellipse cx="260" cy="164" rx="46" ry="26" fill="#f4b860" />
    </svg>
  );
}
