import { useCommand } from '../../host/cache';
import type { NotePart, SubjectRef } from '../../host/commands.gen';
import { Failed, Say, Waiting } from '../../parts/bits';
import { Html } from '../../parts/html';
import { Together } from '../chart/sync';
import { ChartView } from '../chart/view';
import { Notebook } from './notebook';

/** What is read, and the charts in their places. */
export function Parts({ parts, about }: { parts: NotePart[]; about?: SubjectRef }) {
  return (
    <Together>
      {parts.map((part, i) => {
        const key = `${part.kind}/${i}`;
        if (part.kind === 'html') return <Html key={key} className="prose" html={part.html} />;
        if (part.kind === 'chart') return <ChartView key={key} spec={part.spec} of={part.of} level={3} height={320} />;
        if (part.kind === 'picture') return <Picture key={key} digest={part.digest} words={part.words} />;
        if (part.kind === 'notebook') return <Notebook key={key} digest={part.digest} name={part.name} about={about} />;
        return (
          <Say key={key} tone="warn">
            The chart in line {part.line} cannot be read: {part.why}
          </Say>
        );
      })}
    </Together>
  );
}

/** A picture that belongs to the record. */
function Picture({ digest, words }: { digest: string; words: string }) {
  const file = useCommand('file.view', { digest, path: `${words || 'picture'}.png` });
  if (file.error) return <Failed error={file.error} />;
  const view = file.data?.view;
  if (view?.kind === 'image')
    return (
      <figure>
        <img className="attached" src={view.data_url} alt={words} />
      </figure>
    );
  return view ? <Say tone="warn">The picture “{words}” is not on this computer yet. Share, and it comes.</Say> : null;
}

/** A text as it will look. */
export function Preview({ text }: { text: string }) {
  const parts = useCommand('note.preview', { text });
  if (parts.error) return <Failed error={parts.error} />;
  if (!parts.data) return <Waiting lines={4} />;
  return (
    <section className="card stack" aria-label="Preview">
      <Parts parts={parts.data} />
    </section>
  );
}
