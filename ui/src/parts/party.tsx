import type { ReactNode } from 'react';

/** A person or a role, as it is asked for. */
export interface Party {
  kind: string;
  id: string;
}

interface Props {
  label: ReactNode;
  value: Party | null;
  members: { id: string; name: string }[];
  roles: { id: string; label: string }[];
  choose: (who: Party | null) => void;
  /** The word for nobody; none: somebody must be chosen. */
  nobody?: string;
}

/** Chooses a person or a role. */
export function ChooseParty({ label, value, members, roles, choose, nobody = 'nobody in particular' }: Props) {
  return (
    <label className="field">
      {label}
      <select
        value={value ? `${value.kind}/${value.id}` : ''}
        onChange={(e) => {
          const [kind = '', id = ''] = e.target.value.split('/');
          choose(id ? { kind, id } : null);
        }}
      >
        <option value="">{nobody}</option>
        <optgroup label="People">
          {members.map((m) => (
            <option key={m.id} value={`member/${m.id}`}>
              {m.name}
            </option>
          ))}
        </optgroup>
        <optgroup label="Whoever is">
          {roles.map((r) => (
            <option key={r.id} value={`role/${r.id}`}>
              {r.label}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}

const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });

/** Whether a day is over, by this computer's calendar. */
export function isOver(due: string, now = new Date()): boolean {
  const today = `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`;
  return due < today;
}

/** A due day, with a word when it is over. */
export function Due({ day: due, over = true }: { day: string | null; over?: boolean }) {
  if (!due) return null;
  const late = over && isOver(due);
  return (
    <span className={late ? 'late' : undefined}>
      {late ? 'Overdue since ' : 'Due '}
      <time dateTime={due}>{day.format(new Date(`${due}T12:00:00`))}</time>
    </span>
  );
}
