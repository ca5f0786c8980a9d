import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';

/** Something that waits: in the inbox, or told of by the system. */
export interface Waits {
  kind: string;
  id: string;
  project: string | null;
}

/** One table: where in its project a record without a page of its own is read. */
const TABS: Record<string, string> = {
  dataset: 'data',
  dataset_version: 'data',
  model: 'models',
  deployment: 'models',
  monitor: 'models',
  finding: 'checks',
  criteria: 'checks',
};

/** Opens the page where it is dealt with. */
export function useOpen() {
  const navigate = useNavigate();
  return useCallback(
    (item: Waits) => {
      const project = item.project ?? '';
      const [kind = '', id = ''] = item.id.split('/');
      switch (item.kind) {
        case 'admit':
        case 'second':
          return navigate({ to: '/team' });
        case 'handoff':
        case 'handed_back':
        case 'receive':
        case 'item':
          return navigate({ to: '/handoffs/$checklist', params: { checklist: item.id } });
        case 'finding':
        case 'criteria':
          return navigate({ to: '/projects/$project/$tab', params: { project, tab: 'checks' } });
        case 'alarm':
          return navigate({ to: '/projects/$project/$tab', params: { project, tab: 'models' } });
        case 'next_step':
          return navigate({ to: '/projects/$project', params: { project } });
        case 'mention':
        case 'question':
          if (kind === 'checklist') return navigate({ to: '/handoffs/$checklist', params: { checklist: id } });
          if (kind === 'run') return navigate({ to: '/runs/$run', params: { run: id } });
          if (kind === 'model_version') return navigate({ to: '/cards/$version', params: { version: id } });
          if (kind === 'release') return navigate({ to: '/releases/$release', params: { release: id } });
          if (kind === 'project') return navigate({ to: '/projects/$project', params: { project: id } });
          if (kind === 'experiment') return navigate({ to: '/runs' });
          if (!project) return navigate({ to: '/' });
          return navigate({ to: '/projects/$project/$tab', params: { project, tab: TABS[kind] ?? 'notes' } });
        case 'deleted':
        case 'recovery_used':
          return navigate({ to: '/' });
        default:
          return navigate({ to: '/releases/$release', params: { release: item.id } });
      }
    },
    [navigate],
  );
}
