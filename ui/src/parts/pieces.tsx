import type { LineChange, NotebookPiece } from '../host/commands.gen';
import { Badge } from './bits';
import { Html } from './html';

/** What a notebook shows, in its order. Nothing in it runs. */
export function Pieces({ pieces }: { pieces: NotebookPiece[] }) {
  return pieces.map((piece, i) => <Piece key={i} piece={piece} />);
}

function Piece({ piece }: { piece: NotebookPiece }) {
  switch (piece.kind) {
    case 'html':
      return <Html html={piece.html} className="prose" />;
    case 'code':
      return (
        <div className="cell">
          <Badge>{piece.count === null ? 'not run' : piece.count}</Badge>
          <pre className="mono">{piece.source}</pre>
        </div>
      );
    case 'text':
      return <pre className="mono">{piece.text}</pre>;
    case 'error':
      return (
        <div className="note bad">
          <pre className="mono">{piece.text}</pre>
        </div>
      );
    case 'picture':
      return <img src={piece.data_url} alt="Output of the cell above" className="picture" />;
    case 'other':
      return <p className="muted">An output of the kind {piece.media} is not shown.</p>;
  }
}

/** What an edit changed, line by line; a sign says it as well as the colour. */
export function Lines({ lines }: { lines: LineChange[] }) {
  return (
    <pre className="diff">
      {lines.map((c, n) => (
        <div key={`${n}/${c.what}`} className={c.what}>
          {c.what === 'added' ? '+ ' : c.what === 'removed' ? '− ' : c.what === 'gap' ? '⋯' : '  '}
          {c.line}
        </div>
      ))}
    </pre>
  );
}
