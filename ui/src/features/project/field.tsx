import { Pencil } from 'lucide-react';
import { useState } from 'react';
import { useAct } from '../../host/cache';
import type { Field } from '../../host/commands.gen';
import { Failed } from '../../parts/bits';
import { useToast } from '../../parts/toast';
import { BothChanged } from '../../parts/versions';

/** One table: field → its heading and the question behind it. */
const FIELDS: Record<string, [string, string]> = {
  problem: ['Business problem', 'Who suffers from what, how often, and what does it cost?'],
  hypothesis: ['Hypothesis of value', 'If we do this, what gets better, and by how much?'],
  value_metric: ['Value metric', 'Which number of the business tells that it worked?'],
  risk_class: ['Risk class', 'How much harm could a wrong answer do? It decides who must sign.'],
  cost_false_positive: ['Cost of a false alarm', 'What happens when the model says yes and is wrong?'],
  cost_false_negative: ['Cost of a miss', 'What happens when the model says no and is wrong?'],
};

export function FieldEditor({ project, field }: { project: string; field: Field }) {
  const edit = useAct('project.edit');
  const toast = useToast();
  const [draft, setDraft] = useState<string | null>(null);
  const [title, question] = FIELDS[field.name] ?? [field.name, ''];
  const save = (value: string, base = field.base ?? undefined) =>
    edit.mutate(
      { project, field: field.name, value, base },
      {
        onSuccess: () => {
          setDraft(null);
          const before = field.value;
          toast(`${title} saved.`, before ? () => edit.mutate({ project, field: field.name, value: before }) : undefined);
        },
      },
    );
  const risk = field.name === 'risk_class';
  return (
    <section className="card">
      <div className="row between">
        <h2>{title}</h2>
        {draft === null && (
          <button
            type="button"
            className="btn plain icon"
            aria-label={`Edit: ${title}`}
            title={`Edit: ${title}`}
            onClick={() => setDraft(field.value || (risk ? 'low' : ''))}
          >
            <Pencil size={16} aria-hidden />
          </button>
        )}
      </div>
      <BothChanged versions={field.versions} keep={(value) => save(value)} />
      {draft === null ? (
        field.value ? (
          <p style={{ whiteSpace: 'pre-wrap' }}>
            {risk ? field.value.charAt(0).toUpperCase() + field.value.slice(1) : field.value}
          </p>
        ) : (
          <p className="muted">{question}</p>
        )
      ) : (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            save(draft);
          }}
        >
          <div className="field">
            <span className="hint">{question}</span>
            {risk ? (
              <select aria-label={title} value={draft} onChange={(e) => setDraft(e.target.value)}>
                <option value="low">Low: little harm, easily put right</option>
                <option value="medium">Medium: money or trust is at stake</option>
                <option value="high">High: people's health, rights or safety</option>
              </select>
            ) : (
              <textarea aria-label={title} value={draft} onChange={(e) => setDraft(e.target.value)} />
            )}
          </div>
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
    </section>
  );
}
