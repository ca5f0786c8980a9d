import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useCommand } from '../../host/cache';
import type { Edge, Node } from '../../host/commands.gen';
import { Failed, Waiting } from '../../parts/bits';
import { KindIcon, kindOf, pathOf } from './kinds';

/** Where a record comes from and what came of it: walked both ways by clicks or by the arrow keys. */
export function GraphScreen() {
  const { kind = '', id = '' } = useParams({ strict: false });
  const found = useCommand('graph.around', { subject: { kind, id } });
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Waiting lines={8} />;
  const { here, from, to, more } = found.data;
  return (
    <div className="page">
      <header>
        <p className="muted small">Lineage and links</p>
        <h1>{here.title || kindOf(here.kind)}</h1>
      </header>
      <p className="muted">
        {from.length === 0 ? 'It comes from nothing that is recorded' : `It comes from ${from.length}`} and{' '}
        {to.length === 0 ? 'nothing has come of it yet' : `${to.length} came of it`}.{' '}
        {more > 0 && `${more} more are not listed. `}The arrow keys move, Enter walks on.
      </p>
      <Drawn key={`${here.kind}/${here.id}`} here={here} from={from} to={to} />
    </div>
  );
}

interface Line {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

function Drawn({ here, from, to }: { here: Node; from: Edge[]; to: Edge[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [lines, setLines] = useState<Line[]>([]);
  const draw = () => {
    const root = box.current;
    const middle = root?.querySelector('[data-side="here"]');
    if (!root || !middle) return;
    const at = root.getBoundingClientRect();
    const m = middle.getBoundingClientRect();
    const all = [...root.querySelectorAll('[data-side="from"], [data-side="to"]')].map((node) => {
      const n = node.getBoundingClientRect();
      const left = node.getAttribute('data-side') === 'from';
      return {
        x1: (left ? n.right : m.right) - at.left,
        y1: (left ? n.top + n.height / 2 : m.top + m.height / 2) - at.top,
        x2: (left ? m.left : n.left) - at.left,
        y2: (left ? m.top + m.height / 2 : n.top + n.height / 2) - at.top,
      };
    });
    setLines(all);
  };
  useLayoutEffect(draw, [from, to]);
  useEffect(() => {
    window.addEventListener('resize', draw);
    box.current?.querySelector<HTMLElement>('[data-side="here"] a')?.focus({ preventScroll: true });
    return () => window.removeEventListener('resize', draw);
  }, []);
  const move = (event: React.KeyboardEvent) => {
    const now = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('[data-side]');
    const root = box.current;
    if (!now || !root) return;
    const side = now.dataset.side ?? '';
    const of = (name: string) => [...root.querySelectorAll<HTMLElement>(`[data-side="${name}"]`)];
    const mine = of(side);
    const i = mine.indexOf(now);
    const next =
      event.key === 'ArrowDown'
        ? mine[i + 1]
        : event.key === 'ArrowUp'
          ? mine[i - 1]
          : event.key === 'ArrowLeft'
            ? of(side === 'to' ? 'here' : 'from')[0]
            : event.key === 'ArrowRight'
              ? of(side === 'from' ? 'here' : 'to')[0]
              : undefined;
    if (!next) return;
    event.preventDefault();
    next.querySelector('a')?.focus();
  };
  const column = (side: 'from' | 'to', edges: Edge[], title: string) => (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul className="list plainlist">
        {edges.map((e) => (
          <li key={`${e.how}/${e.node.kind}/${e.node.id}`} data-side={side}>
            <NodeLink node={e.node} how={e.how} />
          </li>
        ))}
        {edges.length === 0 && <li className="muted">Nothing recorded.</li>}
      </ul>
    </section>
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys move between the links inside
    <div className="graph" ref={box} onKeyDown={move}>
      <svg aria-hidden="true">
        {lines.map((l) => (
          <path
            key={`${l.x1}/${l.y1}/${l.x2}/${l.y2}`}
            d={`M${l.x1},${l.y1} C${(l.x1 + l.x2) / 2},${l.y1} ${(l.x1 + l.x2) / 2},${l.y2} ${l.x2},${l.y2}`}
          />
        ))}
      </svg>
      {column('from', from, 'Comes from')}
      <section aria-label="Here">
        <div className="node here" data-side="here">
          <small className="muted row">
            <KindIcon kind={here.kind} /> {kindOf(here.kind)}
          </small>
          <Link to={pathOf(here.kind, here.id, from.find((e) => e.node.kind === 'project')?.node.id)}>
            {here.title || 'Open it'}
          </Link>
        </div>
      </section>
      {column('to', to, 'Came of it')}
    </div>
  );
}

function NodeLink({ node, how }: { node: Node; how: string }) {
  return (
    <div className="node">
      <small className="muted row">
        <KindIcon kind={node.kind} /> {how}
      </small>
      <Link to="/graph/$kind/$id" params={{ kind: node.kind, id: node.id }}>
        {node.title || kindOf(node.kind)}
      </Link>
    </div>
  );
}
