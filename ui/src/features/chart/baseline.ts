import { useSyncExternalStore } from 'react';
import { useCommand } from '../../host/cache';
import type { RunDetail } from '../../host/commands.gen';

/** The run that somebody measures all others by, kept on this computer. */
const NAME = 'baseline';
const heard = new Set<() => void>();

const listen = (tell: () => void) => {
  heard.add(tell);
  return () => {
    heard.delete(tell);
  };
};
const read = () => localStorage.getItem(NAME) ?? '';

export function setBaseline(run: string) {
  if (run) localStorage.setItem(NAME, run);
  else localStorage.removeItem(NAME);
  for (const tell of heard) tell();
}

/** The baseline where it is a run of this workspace; another workspace may have left one that is not. */
export function useBaseline(): RunDetail | undefined {
  const run = useSyncExternalStore(listen, read);
  const found = useCommand('run.get', { run }, { enabled: run !== '' });
  return run !== '' ? found.data : undefined;
}

/** By how much a value is more or less than the baseline's; nothing where there is none to speak of. */
export function difference(value: string | undefined, base: string | undefined): number | null {
  if (value === undefined || base === undefined) return null;
  const by = Number(value) - Number(base);
  return Number.isFinite(by) && by !== 0 ? by : null;
}
