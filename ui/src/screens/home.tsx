import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowRight, CheckCircle2, ClipboardCheck, PenLine, RotateCcw, Undo2, UserPlus, Users } from 'lucide-react';
import { useAct, useCommand } from '../host/cache';
import type { InboxItem, Project } from '../host/commands.gen';
import { Badge, Empty, Failed, lower, Say, Time, Waiting } from '../parts/bits';

const ICONS = {
  decide: PenLine,
  sign_again: RotateCcw,
  handoff: ClipboardCheck,
  handed_back: RotateCcw,
  next_step: ArrowRight,
  admit: UserPlus,
  second: Users,
  deleted: Undo2,
};

/** What waits for the person who sits here, and where every project stands. */
export function HomeScreen() {
  const app = useCommand('app.status', {});
  const inbox = useCommand('inbox.list', {});
  const projects = useCommand('project.list', {});
  const first = app.data?.workspace?.me?.name.split(' ')[0];
  return (
    <div className="page">
      <h1>{first ? `Hello, ${first}` : 'Hello'}</h1>
      {app.data?.demo && (
        <Say>This is the sample workspace. Look around and try everything: it is yours, and nobody else sees it.</Say>
      )}
      <Failed error={inbox.error} />
      <section className="card flush" aria-labelledby="waiting">
        <h2 id="waiting" style={{ padding: '16px 20px 8px' }}>
          Waiting for you
        </h2>
        {!inbox.data && <Waiting />}
        {inbox.data?.length === 0 && (
          <div className="empty">
            <CheckCircle2 size={32} aria-hidden />
            <h2>Nothing waits for you</h2>
            <p>When somebody needs your decision or hands something over, it stands here.</p>
          </div>
        )}
        <ul className="list">
          {inbox.data?.map((item) => (
            <li key={item.kind + item.id}>{item.kind === 'deleted' ? <DeletedRow item={item} /> : <InboxRow item={item} />}</li>
          ))}
        </ul>
      </section>
      <section className="stack" aria-labelledby="projects">
        <h2 id="projects">Projects</h2>
        {projects.data?.length === 0 && (
          <div className="card">
            <Empty title="No projects yet">
              A project begins with a business problem. Press N, or the plus beside Projects, to state yours.
            </Empty>
          </div>
        )}
        <div className="grid3">
          {projects.data?.map((p) => (
            <ProjectTile key={p.id} project={p} />
          ))}
        </div>
      </section>
    </div>
  );
}

function InboxRow({ item }: { item: InboxItem }) {
  const navigate = useNavigate();
  const Icon = ICONS[item.kind as keyof typeof ICONS] ?? ArrowRight;
  const open = () => {
    if (item.kind === 'admit' || item.kind === 'second') void navigate({ to: '/team' });
    else if (item.kind === 'handoff' || item.kind === 'handed_back')
      void navigate({ to: '/projects/$project/$tab', params: { project: item.project ?? '', tab: 'handoffs' } });
    else if (item.kind === 'next_step') void navigate({ to: '/projects/$project', params: { project: item.project ?? '' } });
    else void navigate({ to: '/releases/$release', params: { release: item.id } });
  };
  return (
    <button type="button" className="item" onClick={open}>
      <Icon size={20} aria-hidden />
      <div className="grow">
        <div>{item.title}</div>
        <div className="muted">{item.text}</div>
      </div>
      {item.project_title && item.title !== item.project_title && <Badge>{item.project_title}</Badge>}
      {item.since_ms > 0 && (
        <small className="muted">
          <Time ms={item.since_ms} />
        </small>
      )}
      <ArrowRight size={16} aria-hidden />
    </button>
  );
}

/** Somebody deleted what somebody else changed: a question, not a surprise. */
function DeletedRow({ item }: { item: InboxItem }) {
  const act = useAct('record.delete');
  const [kind = '', id = ''] = item.id.split('/');
  const settle = (restore: boolean) => act.mutate({ subject: { kind, id }, restore });
  return (
    <div className="item">
      <Undo2 size={20} aria-hidden />
      <div className="grow">
        <div>{item.title}</div>
        <div className="muted">{item.text}</div>
        <Failed error={act.error} />
      </div>
      <button type="button" className="btn" disabled={act.isPending} onClick={() => settle(true)}>
        Keep it
      </button>
      <button type="button" className="btn plain" disabled={act.isPending} onClick={() => settle(false)}>
        Delete it
      </button>
    </div>
  );
}

function ProjectTile({ project }: { project: Project }) {
  const here = project.stages.findIndex((s) => s.state === 'here');
  const next = project.gate.find((g) => !g.met);
  return (
    <Link
      to="/projects/$project"
      params={{ project: project.id }}
      className="card stack"
      style={{ textDecoration: 'none', color: 'inherit', gap: 8 }}
    >
      <h3>{project.title}</h3>
      <div className="row">
        <Badge tone="accent">
          {here + 1} of 6 · {project.stages[here]?.name}
        </Badge>
        {project.cycle > 1 && <Badge>Cycle {project.cycle}</Badge>}
      </div>
      <p className="muted small">
        {next ? (
          <>
            {project.my_turn ? 'Your turn' : `Turn of the ${lower(next.owner.label)}`}: {lower(next.text)}
          </>
        ) : (
          'Everything is there: it can move on.'
        )}
      </p>
    </Link>
  );
}
