import type { AppStatus, PortfolioRow, SharingStatus } from '../host/commands.gen';

/** What the table needs to know to offer an action, and what it may do. */
export interface World {
  app: AppStatus;
  projects: PortfolioRow[];
  sharing?: SharingStatus;
  go: (to: string) => void;
  share: () => void;
  newProject: () => void;
  palette: () => void;
  help: () => void;
  theme: () => void;
}

export interface Action {
  id: string;
  label: string;
  /** Shown and listened to; `Mod` is Ctrl or Cmd. */
  keys?: string;
  /** Why it cannot be done now. */
  disabled?: string;
  run: () => void;
}

/** The one table of actions: palette, shortcuts and the shortcut sheet come from it. */
export function actions(world: World): Action[] {
  const alone = world.sharing && !world.sharing.remote ? 'The workspace is not shared with anybody yet' : undefined;
  return [
    { id: 'palette', label: 'Search and do anything', keys: 'Mod+K', run: world.palette },
    { id: 'home', label: 'Go to what waits for you', keys: 'G H', run: () => world.go('/') },
    { id: 'portfolio', label: 'Go to all projects', keys: 'G P', run: () => world.go('/portfolio') },
    { id: 'lifecycles', label: 'Go to the lifecycles', keys: 'G L', run: () => world.go('/lifecycles') },
    { id: 'runs', label: 'Go to all runs', keys: 'G R', run: () => world.go('/runs') },
    { id: 'audit', label: 'Go to the audit trail', keys: 'G A', run: () => world.go('/audit') },
    { id: 'team', label: 'Go to the team', keys: 'G T', run: () => world.go('/team') },
    { id: 'maturity', label: 'Go to how far we are (maturity)', keys: 'G M', run: () => world.go('/maturity') },
    { id: 'settings', label: 'Go to sharing and settings', keys: 'G S', run: () => world.go('/settings') },
    { id: 'new-project', label: 'Start a project', keys: 'N', run: world.newProject },
    { id: 'share', label: 'Share now: send changes and get the latest', keys: 'Mod+S', disabled: alone, run: world.share },
    { id: 'theme', label: 'Switch between light and dark', keys: 'Mod+J', run: world.theme },
    { id: 'glossary', label: 'See what the words mean', keys: 'G W', run: () => world.go('/glossary') },
    { id: 'help', label: 'Show the keyboard shortcuts', keys: '?', run: world.help },
    ...world.projects.map((p) => ({
      id: `project-${p.id}`,
      label: `Open project: ${p.title}`,
      run: () => world.go(`/projects/${p.id}`),
    })),
  ];
}

/** Whether a pressed key belongs to an action; `before` is the key pressed just before, for sequences. */
export function matches(keys: string, event: { key: string; ctrlKey: boolean; metaKey: boolean }, before: string): boolean {
  const mod = event.ctrlKey || event.metaKey;
  const key = event.key.toUpperCase();
  if (keys.startsWith('Mod+')) return mod && key === keys.slice(4);
  if (mod) return false;
  const [first, second] = keys.split(' ');
  return second ? before === first && key === second : key === first && before !== 'G';
}

export function find(all: Action[], words: string): Action[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((a) => wanted.every((w) => a.label.toLowerCase().includes(w)));
}
