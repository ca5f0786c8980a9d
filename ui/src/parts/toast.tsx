import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

const Context = createContext<(text: string, undo?: () => void) => void>(() => {});

/** Says in one quiet line that something was done, and offers to undo it where that is possible. */
export const useToast = () => useContext(Context);

let next = 0;

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, set] = useState<Toast[]>([]);
  const close = useCallback((id: number) => set((all) => all.filter((t) => t.id !== id)), []);
  const say = useCallback(
    (text: string, undo?: () => void) => {
      const id = next++;
      // The same words are not said twice at once.
      set((all) => [...all.filter((t) => t.text !== text), { id, text, undo }]);
      setTimeout(() => close(id), undo ? 10_000 : 5_000);
    },
    [close],
  );
  const value = useMemo(() => say, [say]);
  return (
    <Context.Provider value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            <span>{toast.text}</span>
            {toast.undo && (
              <button
                type="button"
                onClick={() => {
                  toast.undo?.();
                  close(toast.id);
                }}
              >
                Undo
              </button>
            )}
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}
