import { Link, Outlet, useRouter } from '@tanstack/react-router';
import {
  ClipboardList,
  FlaskConical,
  FolderKanban,
  Home,
  LayoutList,
  Moon,
  Plus,
  Route,
  Search,
  Settings,
  Share2,
  Sun,
  Users,
  Wifi,
  WifiOff,
} from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { type Action, actions, matches } from '../actions/actions';
import { Palette, ShortcutSheet } from '../actions/palette';
import { LinkCards } from '../features/find/card';
import { NewProject } from '../features/project/new';
import { useAct, useCommand } from '../host/cache';
import { onOpened } from '../host/client';
import type { AppStatus, SharingStatus } from '../host/commands.gen';
import { ago, Failed, Logo, Waiting } from '../parts/bits';
import { toggleTheme, useTheme } from '../parts/theme';
import { useToast } from '../parts/toast';
import { useOpen } from './open';
import { LetIn, Locked, Welcome } from './welcome';

/** The frame around everything: first run, waiting to be let in, or the workspace. */
export function Shell() {
  const status = useCommand('app.status', {});
  if (status.error) return <Failed error={status.error} />;
  if (!status.data) return <Waiting />;
  const { workspace } = status.data;
  if (!workspace) return <Welcome app={status.data} />;
  if (workspace.locked) return <Locked />;
  if (!workspace.me) return <LetIn workspace={workspace} />;
  return <Frame app={status.data} />;
}

function Frame({ app }: { app: AppStatus }) {
  const projects = useCommand('portfolio.list', {});
  const inbox = useCommand('inbox.list', {});
  const sharing = useCommand('sharing.status', {});
  const share = useAct('sharing.share');
  const router = useRouter();
  const toast = useToast();
  const theme = useTheme();
  const [open, setOpen] = useState<'palette' | 'help' | 'project' | null>(null);
  const main = useRef<HTMLElement>(null);
  const all: Action[] = actions({
    app,
    projects: projects.data ?? [],
    sharing: sharing.data,
    go: (to) => void router.navigate({ to }),
    share: () =>
      share.mutate(
        {},
        {
          onSuccess: (r) =>
            toast(
              r.sent + r.received === 0 ? 'Everything is shared already.' : `Shared: ${r.sent} sent, ${r.received} received.`,
            ),
          onError: (e) => toast(`${e.message} ${e.hint ?? ''}`),
        },
      ),
    newProject: () => setOpen('project'),
    palette: () => setOpen('palette'),
    help: () => setOpen('help'),
    theme: toggleTheme,
  });
  useShortcuts(all, open !== null);
  const openItem = useOpen();
  useEffect(
    () =>
      onOpened((notice) => {
        if (notice.kind && notice.id) void openItem({ kind: notice.kind, id: notice.id, project: notice.project });
        else void router.navigate({ to: '/' });
      }),
    [openItem, router],
  );
  const running = projects.data?.filter((p) => p.ended === null) ?? [];
  // With many projects the person's own come first, and the rest are found on the page of all.
  const nav = [...running.filter((p) => p.mine), ...running.filter((p) => !p.mine)].slice(0, running.length > 20 ? 12 : 20);
  const run = (id: string) => all.find((a) => a.id === id)?.run();
  return (
    <div className="shell">
      <button type="button" className="btn skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <nav className="side" aria-label="Workspace">
        <div className="brand">
          <Logo />
          <span title={app.workspace?.name}>{app.workspace?.name}</span>
        </div>
        <button type="button" className="btn" onClick={() => run('palette')}>
          <Search size={16} aria-hidden /> Search <span className="grow" />
          <kbd>Ctrl+K</kbd>
        </button>
        <div style={{ height: 8 }} />
        <Link to="/" className="nav">
          <Home size={16} aria-hidden />
          <span className="grow">Waiting for you</span>
          {(inbox.data?.length ?? 0) > 0 && <span className="count">{inbox.data?.length}</span>}
        </Link>
        <Link to="/portfolio" className="nav">
          <LayoutList size={16} aria-hidden />
          <span className="grow">All projects</span>
        </Link>
        <Link to="/runs" className="nav" activeOptions={{ exact: false }}>
          <FlaskConical size={16} aria-hidden />
          <span className="grow">Runs</span>
        </Link>
        <div className="label">
          <span>Projects</span>
          <button
            type="button"
            className="btn plain icon"
            aria-label="Start a project"
            title="Start a project (N)"
            onClick={() => run('new-project')}
          >
            <Plus size={16} aria-hidden />
          </button>
        </div>
        {nav.map((p) => (
          <Link
            key={p.id}
            to="/projects/$project"
            params={{ project: p.id }}
            className="nav"
            activeOptions={{ exact: false }}
            title={p.title}
          >
            <FolderKanban size={16} aria-hidden />
            <span className="grow">{p.title}</span>
          </Link>
        ))}
        {projects.data?.length === 0 && <p className="line small muted">None yet.</p>}
        {running.length > nav.length && (
          <Link to="/portfolio" className="nav small">
            All {running.length} projects
          </Link>
        )}
        <div className="label">Workspace</div>
        <Link to="/audit" className="nav">
          <ClipboardList size={16} aria-hidden />
          <span className="grow">Audit trail</span>
        </Link>
        <Link to="/team" className="nav">
          <Users size={16} aria-hidden />
          <span className="grow">Team</span>
        </Link>
        <Link to="/lifecycles" className="nav">
          <Route size={16} aria-hidden />
          <span className="grow">Lifecycles</span>
        </Link>
        <Link to="/settings" className="nav">
          <Settings size={16} aria-hidden />
          <span className="grow">Sharing and settings</span>
        </Link>
        <div className="foot">
          <button type="button" className="btn" disabled={share.isPending} onClick={() => run('share')}>
            <Share2 size={16} aria-hidden /> {share.isPending ? 'Sharing…' : 'Share'}
          </button>
          <SharingLine sharing={sharing.data} />
          <div className="line" title={app.tracking ?? undefined}>
            {app.tracking ? <Wifi size={16} aria-hidden /> : <WifiOff size={16} aria-hidden />}
            {app.tracking ? <span>Tracking at {app.tracking.replace('http://', '')}</span> : <span>Tracking is off</span>}
          </div>
          <div className="line">
            <span className="grow">{app.workspace?.me?.name}</span>
            <button type="button" className="btn plain icon" aria-label="Switch between light and dark" onClick={toggleTheme}>
              {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
            </button>
          </div>
        </div>
      </nav>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <Palette open={open === 'palette'} onClose={() => setOpen(null)} all={all} go={(to) => void router.navigate({ to })} />
      <LinkCards />
      <ShortcutSheet open={open === 'help'} onClose={() => setOpen(null)} all={all} />
      <NewProject open={open === 'project'} onClose={() => setOpen(null)} />
    </div>
  );
}

/** One quiet line about sharing; offline is a state, not an error. */
function SharingLine({ sharing }: { sharing?: SharingStatus }) {
  if (!sharing) return null;
  const many = (n: number) => `${n} ${n === 1 ? 'change' : 'changes'} to share`;
  let text = 'Not shared with anybody yet';
  if (sharing.remote) {
    if (sharing.last_error) text = 'Offline: your work is saved here';
    else if (sharing.waiting > 0) text = many(sharing.waiting);
    else text = sharing.last_ok_ms ? `Shared ${ago(sharing.last_ok_ms)}` : 'Nothing to share';
  }
  return (
    <div className="line" role="status" title={sharing.last_error?.message}>
      {text}
    </div>
  );
}

function useShortcuts(all: Action[], busy: boolean) {
  const before = useRef('');
  const table = useRef(all);
  table.current = all;
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
      if (busy || (typing && !(event.ctrlKey || event.metaKey))) return;
      const action = table.current.find((a) => a.keys && matches(a.keys, event, before.current));
      before.current = event.key.toUpperCase();
      if (action && !action.disabled) {
        event.preventDefault();
        action.run();
      }
    };
    window.addEventListener('keydown', heard);
    return () => window.removeEventListener('keydown', heard);
  }, [busy]);
}
