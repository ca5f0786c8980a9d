import { createHashHistory, createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AuditScreen } from '../features/audit/trail';
import { CardScreen } from '../features/card/card';
import { HandoffScreen } from '../features/checklist/handoff';
import { CompareScreen } from '../features/compare/compare';
import { GraphScreen } from '../features/find/graph';
import { LifecyclesScreen } from '../features/lifecycle/lifecycles';
import { ProjectScreen } from '../features/project/project';
import { ReleaseScreen } from '../features/release/release';
import { RunScreen } from '../features/run/run';
import { AllRuns } from '../features/run/runs';
import { SettingsScreen } from '../features/sharing/settings';
import { MaturityScreen } from '../features/team/maturity';
import { TeamScreen } from '../features/team/team';
import { GlossaryScreen } from './glossary';
import { HomeScreen } from './home';
import { PortfolioScreen } from './portfolio';
import { Shell } from './shell';

const root = createRootRoute({ component: Shell });
const at = <P extends string>(path: P, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component });

const tree = root.addChildren([
  at('/', HomeScreen),
  at('/projects/$project', ProjectScreen),
  at('/projects/$project/$tab', ProjectScreen),
  at('/projects/$project/$tab/$step', ProjectScreen),
  at('/handoffs/$checklist', HandoffScreen),
  at('/portfolio', PortfolioScreen),
  at('/runs', AllRuns),
  at('/runs/$run', RunScreen),
  at('/runs/$run/$tab', RunScreen),
  at('/compare', CompareScreen),
  at('/graph/$kind/$id', GraphScreen),
  at('/cards/$version', CardScreen),
  at('/releases/$release', ReleaseScreen),
  at('/audit', AuditScreen),
  at('/team', TeamScreen),
  at('/maturity', MaturityScreen),
  at('/maturity/$scale', MaturityScreen),
  at('/lifecycles', LifecyclesScreen),
  at('/glossary', GlossaryScreen),
  at('/settings', SettingsScreen),
]);

// A browser came with the token of this launch; its cookie has it now. Left in the address, it would be taken for a part
// of every page's own.
if (window.location.search) window.history.replaceState(null, '', window.location.pathname + window.location.hash);

export const router = createRouter({ routeTree: tree, history: createHashHistory() });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
