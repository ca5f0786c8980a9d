import { Link } from '@tanstack/react-router';

/** Where a record is read; of the kinds that have a page of their own. */
const PAGES: Record<string, [string, string]> = {
  project: ['/projects/$project', 'project'],
  run: ['/runs/$run', 'run'],
  model_version: ['/cards/$version', 'version'],
  release: ['/releases/$release', 'release'],
  checklist: ['/handoffs/$checklist', 'checklist'],
};

/** A record by its title, as a link where it has a page; other kinds are found on a page of their project. */
export function RecordLink({ kind, id, title, project }: { kind: string; id: string; title: string; project?: string }) {
  const page = PAGES[kind];
  const tab = {
    dataset: 'data',
    dataset_version: 'data',
    model: 'models',
    deployment: 'models',
    criteria: 'checks',
    finding: 'checks',
    note: 'notes',
  }[kind];
  if (page)
    return (
      <Link to={page[0]} params={{ [page[1]]: id } as never}>
        {title}
      </Link>
    );
  if (tab && project)
    return (
      <Link to="/projects/$project/$tab" params={{ project, tab }}>
        {title}
      </Link>
    );
  return <span>{title}</span>;
}

/** Records that show something, in a line. */
export function Evidence({ links, project }: { links: { kind: string; id: string; title: string }[]; project?: string }) {
  if (links.length === 0) return null;
  return (
    <>
      {links.map((l) => (
        <span key={`${l.kind}/${l.id}`} className="evidence">
          ↗ <RecordLink {...l} project={project} />{' '}
        </span>
      ))}
    </>
  );
}
