import { Link } from '@tanstack/react-router';
import { ArrowDown } from 'lucide-react';
import { useCommand } from '../../host/cache';
import type { Linked, RunRow } from '../../host/commands.gen';
import { Failed, State, Waiting } from '../../parts/bits';

const WORDS: Record<string, string> = {
  run: 'Run',
  dataset: 'Data',
  logged_model: 'Logged model',
  model_version: 'Model version',
  code: 'Code',
};

/** What went into a run, and what came of it: each step can be walked on. */
export function LineageOf({ run }: { run: RunRow }) {
  const lineage = useCommand('run.lineage', { run: run.id });
  if (lineage.error) return <Failed error={lineage.error} />;
  if (!lineage.data) return <Waiting lines={6} />;
  const { went_in, came_out, more_children } = lineage.data;
  return (
    <div className="flow">
      <Group title="Went in" links={went_in} empty="The script named neither data nor code nor a parent." />
      <ArrowDown aria-hidden className="flow-arrow" />
      <div className="card flow-here">
        <strong>{run.name}</strong>
        <State state={run.status} />
      </div>
      <ArrowDown aria-hidden className="flow-arrow" />
      <Group title="Came out" links={came_out} empty="Nothing yet: no model was logged, and no run began inside it." />
      {more_children > 0 && <p className="muted">and {more_children.toLocaleString('en')} more child runs</p>}
    </div>
  );
}

function Group({ title, links, empty }: { title: string; links: Linked[]; empty: string }) {
  return (
    <section aria-label={title} className="stack">
      <h2>{title}</h2>
      {links.length === 0 && <p className="muted">{empty}</p>}
      <ul className="flow-list">
        {links.map((l) => (
          <li key={`${l.kind}/${l.id}/${l.name}`} className="card">
            <small className="muted">{l.role || WORDS[l.kind]}</small>
            <Name link={l} />
            {l.kind === 'dataset' && l.id && <code>{l.id.slice(0, 16)}</code>}
            {l.state && <State state={l.state} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Name({ link }: { link: Linked }) {
  if (link.kind === 'run')
    return (
      <Link to="/runs/$run/$tab" params={{ run: link.id, tab: 'lineage' }}>
        {link.name}
      </Link>
    );
  if (link.kind === 'model_version')
    return (
      <Link to="/cards/$version" params={{ version: link.id }}>
        {link.name}
      </Link>
    );
  return <span>{link.name}</span>;
}
