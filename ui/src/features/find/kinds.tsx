import {
  Box,
  ClipboardCheck,
  Database,
  FileCheck2,
  FileText,
  FlaskConical,
  FolderKanban,
  MessageSquare,
  PenLine,
  Rocket,
  Target,
  TriangleAlert,
} from 'lucide-react';

/** One table: kind of record → what people call it, and its picture. */
export const KINDS: Record<string, [string, typeof Box]> = {
  project: ['Project', FolderKanban],
  experiment: ['Experiment', FlaskConical],
  run: ['Run', FlaskConical],
  logged_model: ['Logged model', Box],
  dataset: ['Dataset', Database],
  dataset_version: ['Dataset version', Database],
  model: ['Model', Box],
  model_version: ['Model version', Box],
  note: ['Note', FileText],
  comment: ['Comment', MessageSquare],
  finding: ['Finding', TriangleAlert],
  checklist: ['Handoff', ClipboardCheck],
  criteria: ['Criteria', Target],
  release: ['Release', FileCheck2],
  signoff: ['Decision', PenLine],
  deployment: ['Deployment', Rocket],
};

export const kindOf = (kind: string): string => KINDS[kind]?.[0] ?? kind.replaceAll('_', ' ');

export function KindIcon({ kind }: { kind: string }) {
  const Icon = KINDS[kind]?.[1] ?? FileText;
  return <Icon size={16} aria-hidden />;
}

/** The page where a record is read; `project` where it is a part of one. */
export function pathOf(kind: string, id: string, project?: string | null): string {
  switch (kind) {
    case 'project':
      return `/projects/${id}`;
    case 'run':
      return `/runs/${id}`;
    case 'model_version':
      return `/cards/${id}`;
    case 'release':
      return `/releases/${id}`;
    case 'checklist':
      return `/handoffs/${id}`;
    case 'member':
      return '/team';
    default: {
      const tab = { dataset: 'data', dataset_version: 'data', model: 'models', deployment: 'models', note: 'notes' }[kind];
      const checks = kind === 'finding' || kind === 'criteria';
      if (project && (tab || checks)) return `/projects/${project}/${tab ?? 'checks'}`;
      return `/graph/${kind}/${id}`;
    }
  }
}
