import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from 'react';

/** What charts of one page share: where somebody looks, and which runs are hidden. */
export interface Shared {
  /** The x axis that is meant: only charts over the same follow. */
  along: string;
  x: number | null;
  view: [number, number] | null;
  /** The run that is pointed at. */
  run: string | null;
  hidden: readonly string[];
}

const NOTHING: Shared = { along: '', x: null, view: null, run: null, hidden: [] };

class Board {
  state = NOTHING;
  private heard = new Set<() => void>();
  set = (next: Partial<Shared>) => {
    this.state = { ...this.state, ...next };
    for (const tell of this.heard) tell();
  };
  listen = (tell: () => void) => {
    this.heard.add(tell);
    return () => {
      this.heard.delete(tell);
    };
  };
  read = () => this.state;
}

const Context = createContext<Board | null>(null);

/** Charts inside of it are looked at together. */
export function Together({ children }: { children: ReactNode }) {
  const board = useMemo(() => new Board(), []);
  return <Context.Provider value={board}>{children}</Context.Provider>;
}

/** The shared state; a chart on its own has one for itself. */
export function useShared(): [Shared, (next: Partial<Shared>) => void] {
  const around = useContext(Context);
  const own = useMemo(() => new Board(), []);
  const board = around ?? own;
  return [useSyncExternalStore(board.listen, board.read), board.set];
}
