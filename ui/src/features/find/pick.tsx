import { useDeferredValue, useState } from 'react';
import { useCommand } from '../../host/cache';
import { Dialog } from '../../parts/dialog';
import { KindIcon, kindOf } from './kinds';

/** Finds a person or a record, and gives it as a link for a text. */
export function PickLink({ onPick, onClose }: { onPick: (markdown: string) => void; onClose: () => void }) {
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const asked = useDeferredValue(words);
  const team = useCommand('member.list', {});
  const found = useCommand('search.find', { words: asked, kinds: [], limit: 12 }, { enabled: asked.trim().length > 1 });
  const plain = (title: string) => title.replace(/[[\]\\]/g, '');
  const people = (team.data?.members ?? [])
    .filter((m) => m.name.toLowerCase().includes(words.trim().replace(/^@/, '').toLowerCase()))
    .slice(0, words.trim() ? 5 : 12)
    .map((m) => ({
      kind: 'member',
      id: m.id,
      title: m.name,
      more: 'Person: they are told',
      link: `[@${plain(m.name)}](cairn:member/${m.id})`,
    }));
  const records = (asked.trim().length > 1 ? (found.data ?? []) : []).map((f) => {
    const title = plain(f.title) || kindOf(f.kind);
    return {
      kind: f.kind,
      id: f.id,
      title,
      more: [kindOf(f.kind), f.project_title].filter(Boolean).join(' · '),
      link: `[${title}](cairn:${f.kind}/${f.id})`,
    };
  });
  const all = [...people, ...records];
  const chosen = all[Math.min(at, all.length - 1)];
  return (
    <Dialog open onClose={onClose} title="Link a person or a record" className="palette" hideTitle>
      <input
        type="text"
        role="combobox"
        aria-label="Link a person or a record"
        aria-expanded="true"
        aria-controls="pick-list"
        aria-activedescendant={chosen ? `pick-${chosen.id}` : undefined}
        placeholder="A name, or words of a note, run, finding…"
        value={words}
        onChange={(e) => {
          setWords(e.target.value);
          setAt(0);
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') setAt(Math.min(at + 1, all.length - 1));
          else if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (e.key === 'Enter') chosen && onPick(chosen.link);
          else return;
          e.preventDefault();
        }}
      />
      <div id="pick-list" role="listbox" aria-label="People and records" className="list-box">
        {all.map((c) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the text field above holds the focus and takes the keys
          <div
            key={`${c.kind}/${c.id}`}
            id={`pick-${c.id}`}
            className="choice"
            role="option"
            tabIndex={-1}
            aria-selected={c === chosen}
            onClick={() => onPick(c.link)}
          >
            <KindIcon kind={c.kind} />
            <span className="grow">
              {c.title} <small className="muted more">{c.more}</small>
            </span>
          </div>
        ))}
      </div>
      {all.length === 0 && <p className="empty">Nothing fits these words.</p>}
    </Dialog>
  );
}

/** Where a record is mentioned. */
export function Backlinks({ kind, id }: { kind: string; id: string }) {
  const around = useCommand('graph.around', { subject: { kind, id } });
  const all = around.data?.to.filter((e) => e.how === 'mentioned in') ?? [];
  if (all.length === 0) return null;
  return (
    <p className="small">
      <span className="muted">Mentioned in </span>
      {all.map((e, i) => (
        <span key={`${e.node.kind}/${e.node.id}`}>
          {i > 0 && ', '}
          <a href={`#/graph/${e.node.kind}/${e.node.id}`}>{e.node.title || kindOf(e.node.kind)}</a>
        </span>
      ))}
    </p>
  );
}
