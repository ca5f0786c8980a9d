import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { CardSection } from '../../host/commands.gen';
import { Badge, Failed, lower, Say, State, Waiting } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';
import { linesOf, Threads } from '../comment/threads';
import { Notes } from '../note/notes';
import { Preview } from '../note/parts';
import { CardPage } from './page';

export function CardScreen() {
  const { version: id = '' } = useParams({ strict: false });
  const card = useCommand('card.get', { version: id });
  const version = useCommand('model.version', { version: id });
  const [asking, ask] = useState(false);
  if (card.error) return <Failed error={card.error} />;
  if (!card.data || !version.data) return <Waiting lines={10} />;
  const c = card.data;
  const v = version.data;
  const decided = v.release === 'approved';
  return (
    <div className="page narrow">
      <div className="row between">
        <Link to="/projects/$project/$tab" params={{ project: c.project, tab: 'models' }}>
          ← Models and releases
        </Link>
        <div className="row">
          <Link className="small" to="/graph/$kind/$id" params={{ kind: 'model_version', id }}>
            Lineage and links
          </Link>
          {v.release && <State state={v.release} />}
          <button type="button" className="btn primary" disabled={v.release === 'waiting' || decided} onClick={() => ask(true)}>
            Request a release
          </button>
        </div>
      </div>
      {c.missing.length > 0 && (
        <Say tone="warn">
          <strong>Still empty:</strong> {c.missing.join(', ')}.
        </Say>
      )}
      {decided && (
        <Say tone="warn">
          This card is approved. If you change a letter, the approval becomes stale and it must be signed again.
        </Say>
      )}
      <CardPage card={c} around={(section) => <SectionEditor key={section.id} version={id} section={section} />} />
      <details className="card">
        <summary>What exactly this is (for engineers and auditors)</summary>
        <dl className="small mono">
          <dt>Card, sha256</dt>
          <dd data-testid="card-digest">{c.digest}</dd>
          <dt>Model files, sha256 over {v.files.length} files</dt>
          <dd>{v.digest}</dd>
          {v.datasets.map((d) => (
            <div key={d.id}>
              <dt>{d.title}, sha256</dt>
              <dd>{d.digest}</dd>
            </div>
          ))}
        </dl>
      </details>
      <div className="card">
        <Threads about={{ kind: 'model_version', id }} />
      </div>
      <Notes about={{ kind: 'model_version', id }} />
      <RequestRelease open={asking} onClose={() => ask(false)} version={id} />
    </div>
  );
}

function SectionEditor({ version, section }: { version: string; section: CardSection }) {
  const edit = useAct('card.edit');
  const toast = useToast();
  const [draft, setDraft] = useState<string | null>(null);
  const about = { kind: 'model_version', id: version };
  const threads = useCommand('comment.list', { about });
  const open = threads.data?.filter((t) => t.anchor.split('\n')[0] === section.title && !t.resolved).length ?? 0;
  const [talking, talk] = useState(false);
  const save = (text: string) =>
    edit.mutate(
      { version, section: section.id, text, base: section.base ?? undefined },
      {
        onSuccess: () => {
          setDraft(null);
          const before = section.text;
          toast(`"${section.title}" saved.`, () => edit.mutate({ version, section: section.id, text: before }));
        },
      },
    );
  return (
    <div>
      <BothChanged versions={section.versions} keep={save} />
      {talking && (
        <Threads about={about} anchor={section.title} lines={linesOf(section.text)} title={`Comments on “${section.title}”`} />
      )}
      {draft === null ? (
        <div className="row">
          <button type="button" className="btn plain edit" onClick={() => setDraft(section.text)}>
            <Pencil size={14} aria-hidden /> Edit<span className="sr">: {section.title}</span>
          </button>
          {section.required && !section.text.trim() && <Badge tone="warn">⚠ Required · {section.owner.label}</Badge>}
          {section.from_run && section.text.trim() && <small className="muted">Drafted from the run</small>}
          <button type="button" className="btn plain edit" aria-expanded={talking} onClick={() => talk(!talking)}>
            Comment<span className="sr"> on {section.title}</span>
            {open > 0 && ` (${open})`}
          </button>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            save(draft);
          }}
        >
          <label className="field">
            <span className="hint">{section.question} You may use Markdown.</span>
            <textarea rows={7} value={draft} onChange={(e) => setDraft(e.target.value)} aria-label={section.title} />
          </label>
          {draft.trim() !== '' && <Preview text={draft} />}
          <Failed error={edit.error} />
          <div className="row">
            <button type="submit" className="btn primary" disabled={edit.isPending}>
              Save
            </button>
            <button type="button" className="btn plain" onClick={() => setDraft(null)}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </div>
  );
}

function RequestRelease({ open, onClose, version }: { open: boolean; onClose: () => void; version: string }) {
  const request = useAct('release.request');
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const earlier = useCommand('release.earlier', { version }, { enabled: open });
  const rejected = earlier.data?.filter((e) => e.blocks) ?? [];
  const [answers, setAnswers] = useState<Record<string, string>>({});
  return (
    <Dialog open={open} onClose={onClose} title="Request a release">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          request.mutate(
            { version, reason, answers },
            {
              onSuccess: (release) => {
                onClose();
                void navigate({ to: '/releases/$release', params: { release: release.id } });
              },
            },
          );
        }}
      >
        <label className="field">
          Why should this version go live?
          <textarea
            value={reason}
            onChange={(e) => setReason(e.target.value)}
            required
            placeholder="What is better, and for whom?"
          />
        </label>
        {rejected.map((e) => (
          <label key={e.signoff} className="field">
            <span>
              <Badge tone="bad">✕ Rejected before</Badge> by {e.by.name} as {lower(e.role.label)}: “{e.reason}”
            </span>
            What is different now?
            <textarea
              required
              value={answers[e.signoff] ?? ''}
              onChange={(x) => setAnswers({ ...answers, [e.signoff]: x.target.value })}
            />
          </label>
        ))}
        <Failed error={earlier.error ?? request.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn primary" disabled={request.isPending}>
            Request the release
          </button>
        </div>
      </form>
    </Dialog>
  );
}
