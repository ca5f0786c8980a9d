/** A text of a picture: where it stands, in CSS pixels, and how. */
export interface Label {
  text: string;
  x: number;
  y: number;
  size: number;
  colour: string;
  anchor: string;
  dy: string;
  turned: number;
}

const TEXT = /<text ([^>]*)>([^<]*)<\/text>/g;
const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&#39;': "'" };
/** The picture is ten times as large as it is shown. */
const SCALE = 10;

/**
 * The texts of a picture apart from its lines. WebKit needs some milliseconds for each text inside of an SVG: a page of
 * charts would stutter when it is scrolled. As HTML they cost nothing.
 */
export function apart(svg: string): { art: string; labels: Label[] } {
  const labels: Label[] = [];
  const art = svg.replace(TEXT, (_, attributes: string, inner: string) => {
    const of = (name: string) => new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    labels.push({
      text: inner.trim().replace(/&(amp|lt|gt|quot|apos|#39);/g, (entity) => ENTITIES[entity] ?? entity),
      x: Number(of('x')) / SCALE,
      y: Number(of('y')) / SCALE,
      size: Number(of('font-size')) / SCALE,
      colour: of('fill'),
      anchor: of('text-anchor'),
      dy: of('dy'),
      turned: Number(/rotate\((-?\d+)/.exec(of('transform'))?.[1] ?? 0),
    });
    return '';
  });
  return { art, labels };
}

const ACROSS: Record<string, string> = { middle: '-50%', end: '-100%' };

/** The texts in their places; the picture itself is described for those who cannot see it. */
export function Labels({ labels }: { labels: Label[] }) {
  return (
    <div aria-hidden="true">
      {labels.map((l, i) => {
        const up = l.dy.startsWith('-') ? '-100%' : l.dy.endsWith('em') ? '0' : '-50%';
        return (
          <span
            key={`${i}/${l.text}`}
            className="chart-label"
            style={{
              left: l.x,
              top: l.y,
              fontSize: l.size,
              color: l.colour,
              transform: `rotate(${l.turned}deg) translate(${ACROSS[l.anchor] ?? '0'}, ${up})`,
            }}
          >
            {l.text}
          </span>
        );
      })}
    </div>
  );
}
