import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useCommand } from '../../host/cache';
import { call } from '../../host/client';
import { Time } from '../../parts/bits';
import { setFollow } from '../../parts/html';
import { KindIcon, kindOf, pathOf } from './kinds';

interface Shown {
  kind: string;
  id: string;
  at: DOMRect;
}

/** Follows links to records in texts, and shows a card of what is behind one while it is pointed at or has the focus. */
export function LinkCards() {
  const router = useRouter();
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    setFollow({
      open: async (kind, id) => {
        const card = await call('record.card', { kind, id }).catch(() => null);
        void router.navigate({ to: pathOf(kind, id, card?.project) });
      },
      show: (kind, id, at) => {
        clearTimeout(timer);
        timer = setTimeout(() => setShown({ kind, id, at }), 200);
      },
      hide: () => {
        clearTimeout(timer);
        setShown(null);
      },
    });
    return () => {
      clearTimeout(timer);
      setFollow(null);
    };
  }, [router]);
  return shown ? <Card {...shown} /> : null;
}

function Card({ kind, id, at }: Shown) {
  const card = useCommand('record.card', { kind, id });
  const c = card.data;
  const top = at.bottom + 8;
  return (
    <div
      className="hovercard"
      role="tooltip"
      style={{ left: Math.min(at.left, window.innerWidth - 340), top: Math.min(top, window.innerHeight - 160) }}
    >
      {card.error && <span className="muted">It has not arrived on this computer yet.</span>}
      {c && (
        <>
          <small className="muted row">
            <KindIcon kind={c.kind} /> {kind === 'member' ? 'Person' : kindOf(c.kind)}
            {c.project_title && c.project_title !== c.title && ` · ${c.project_title}`}
          </small>
          <strong>{c.title}</strong>
          {c.text && <span>{c.text}</span>}
          {c.by && c.at_ms !== null && (
            <small className="muted">
              {c.by.name}, <Time ms={c.at_ms} />
            </small>
          )}
        </>
      )}
    </div>
  );
}
