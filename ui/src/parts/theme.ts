import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
const dark = () => window.matchMedia?.('(prefers-color-scheme: dark)').matches ?? false;

export type Theme = 'light' | 'dark';

function read(): Theme {
  const kept = localStorage.getItem('theme');
  if (kept === 'light' || kept === 'dark') return kept;
  return dark() ? 'dark' : 'light';
}

export function applyTheme() {
  document.documentElement.dataset.theme = read();
}

export function toggleTheme() {
  localStorage.setItem('theme', read() === 'dark' ? 'light' : 'dark');
  applyTheme();
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((heard) => {
    listeners.add(heard);
    return () => listeners.delete(heard);
  }, read);
}
