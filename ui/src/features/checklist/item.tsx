import { useState } from 'react';
import { useAct, useCommand } from '../../host/cache';
import type { Checklist, ChecklistItem, Project, SubjectRef } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { Dialog } from '../../parts/dialog';
import { useToast } from '../../parts/toast';

/** Answers an item with a word or a link to where it can be seen. */
export function DoItem({
  list,
  item,
  project,
  onClose,
}: {
  list: Checklist;
  item: ChecklistItem;
  project: Project;
  onClose: () => void;
}) {
  const done = useAct('checklist.item_done');
  const reopen = useAct('checklist.item_reopen');
  const toast = useToast();
  const data = useCommand('dataset.list', { project: project.id });
  const models = useCommand('model.list', { project: project.id });
  const runs = useCommand('run.list', { project: project.id });
  const [comment, setComment] = useState(item.comment);
  const [links, setLinks] = useState<SubjectRef[]>(item.evidence.map((e) => ({ kind: e.kind, id: e.id })));
  const choices = [
    { kind: 'project', id: project.id, title: `Project: ${project.title}` },
    ...(data.data ?? []).flatMap((d) =>
      d.versions.map((v) => ({ kind: 'dataset_version', id: v.id, title: `Data: ${d.name} version ${v.number}` })),
    ),
    ...(models.data ?? []).flatMap((m) =>
      m.versions.map((v) => ({ kind: 'model_version', id: v.id, title: `Model: ${m.name} version ${v.number}` })),
    ),
    ...(runs.data ?? []).slice(0, 100).map((r) => ({ kind: 'run', id: r.id, title: `Run: ${r.name}` })),
  ];
  const titleOf = (l: SubjectRef) => choices.find((c) => c.id === l.id)?.title ?? l.id;
  return (
    <Dialog open onClose={onClose} title={`${item.id}: ${item.text}`}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          done.mutate({ checklist: list.id, item: item.id, comment, evidence: links }, { onSuccess: onClose });
        }}
      >
        <label className="field">
          How do you know?
          <textarea value={comment} onChange={(e) => setComment(e.target.value)} placeholder="A sentence, or a link below." />
        </label>
        <label className="field">
          Where can it be seen?
          <select
            value=""
            onChange={(e) => {
              const chosen = choices.find((c) => c.id === e.target.value);
              if (chosen && !links.some((l) => l.id === chosen.id)) setLinks([...links, { kind: chosen.kind, id: chosen.id }]);
            }}
          >
            <option value="">Link something…</option>
            {choices.map((c) => (
              <option key={c.id} value={c.id}>
                {c.title}
              </option>
            ))}
          </select>
        </label>
        {links.map((l) => (
          <div key={l.id} className="row between">
            <span>↗ {titleOf(l)}</span>
            <button
              type="button"
              className="btn plain icon"
              aria-label={`Take away ${titleOf(l)}`}
              onClick={() => setLinks(links.filter((x) => x.id !== l.id))}
            >
              ✕
            </button>
          </div>
        ))}
        <Failed error={done.error} />
        <div className="row between">
          <button type="button" className="btn plain" onClick={onClose}>
            Cancel
          </button>
          <div className="row">
            {item.done && (
              <button
                type="button"
                className="btn"
                onClick={() =>
                  reopen.mutate(
                    { checklist: list.id, item: item.id },
                    {
                      onSuccess: () => {
                        onClose();
                        toast(`${item.id} is open again.`);
                      },
                    },
                  )
                }
              >
                Reopen
              </button>
            )}
            <button type="submit" className="btn primary" disabled={done.isPending}>
              Mark {item.id} as done
            </button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}
