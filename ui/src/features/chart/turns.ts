import { useEffect, useState } from 'react';

const waiting = new Set<() => void>();

function next() {
  const [first] = waiting;
  if (!first) return;
  waiting.delete(first);
  first();
  if (waiting.size > 0) requestAnimationFrame(next);
}

/** What to show: the first time in its turn, one a frame, so that a row of charts coming into sight does not make the page stutter. */
export function useTurn<T>(value: T | undefined): T | undefined {
  const [shown, show] = useState(false);
  const there = value !== undefined;
  useEffect(() => {
    if (!there || shown) return;
    const turn = () => show(true);
    waiting.add(turn);
    if (waiting.size === 1) requestAnimationFrame(next);
    return () => {
      waiting.delete(turn);
    };
  }, [there, shown]);
  return shown ? value : undefined;
}
