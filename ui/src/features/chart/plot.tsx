import { useEffect, useMemo, useRef, useState } from 'react';
import type { Chart, ChartValues, Mark } from '../../host/commands.gen';
import { Html } from '../../parts/html';
import { apart, Labels } from './labels';
import { keyOf } from './legend';
import { nearest, placeOf, said, valueAt } from './spec';
import type { Shared } from './sync';

interface Props {
  chart: Chart;
  values: ChartValues | undefined;
  shared: Shared;
  /** Whether the shared place and view are about this chart's axis. */
  mine: boolean;
  share: (next: Partial<Shared>) => void;
  /** Shows a part of it: of x, and of y where it is given. */
  look: (view: [number, number] | null, tall?: [number, number] | null) => void;
  /** The part of y that is looked at. */
  tall: [number, number] | null;
  /** Measures all charts by this run; none: by no run. */
  measure: (run: string) => void;
  wake: () => void;
  open: (run: string) => void;
  onPin?: (run: string, x: number) => void;
  children?: React.ReactNode;
}

interface Near {
  x: number;
  name: string;
  key: string;
  colour: string;
  value: string;
  y: number;
}

/** Lines of a tip; the rest is counted. */
const TIPS = 10;

/** How far a value is from the baseline's at the same place. */
function beside(value: number, base: number | null | undefined, own: boolean): string {
  if (own) return ', the baseline';
  if (typeof base !== 'number') return '';
  const by = value - base;
  return Number.isFinite(by) ? `, ${by >= 0 ? '+' : '−'}${said(Math.abs(by))}` : '';
}

/** Pixels by which a brush goes up before a part of y is meant too. */
const TALL = 24;

interface Drag {
  from: number;
  to: number;
  up: number;
  down: number;
}

function partOf(drag: Drag, top: number, bottom: number): { tall: boolean; top: number; bottom: number } {
  const [a, b] = [Math.min(drag.up, drag.down), Math.max(drag.up, drag.down)];
  return b - a > TALL ? { tall: true, top: a, bottom: b } : { tall: false, top, bottom };
}

function brushed(drag: Drag, left: number, width: number, top: number, bottom: number): React.CSSProperties {
  const part = partOf(drag, top, bottom);
  const wide = Math.abs(drag.to - drag.from);
  // Straight up: the whole width.
  if (part.tall && wide <= 5) return { left, width, top: part.top, height: part.bottom - part.top };
  return { left: Math.min(drag.from, drag.to), width: wide, top: part.top, height: part.bottom - part.top };
}

/** The picture, and what somebody does over it: look, light, zoom, move. All of it also by keys. */
export function Plot({ chart, values, shared, mine, share, look, tall, measure, wake, open, onPin, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<(Drag & { pan: boolean }) | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [mark, setMark] = useState<number | null>(null);
  const [y, setY] = useState<number | null>(null);
  const [here, setHere] = useState(false);
  const [left = 0, top = 0, right = 0, bottom = 0] = chart.area;
  const width = right - left;
  const lines = chart.marks.length === 0 && values !== undefined && values.series.length > 0;
  const x = here ? at : mine ? shared.x : null;
  const px = x === null ? null : left + placeOf(chart.x, x) * width;
  const inside = px !== null && px >= left - 1 && px <= right + 1;

  // What is hidden or lit is said to the groups of the picture.
  const { art, labels } = useMemo(() => apart(chart.svg), [chart.svg]);
  const keys = useMemo(() => chart.series.map(keyOf), [chart]);
  const hidden = useMemo(() => new Set(shared.hidden), [shared.hidden]);
  const lit = shared.run !== null && keys.includes(shared.run) ? shared.run : null;
  useEffect(() => {
    for (const group of box.current?.querySelectorAll<SVGGElement>('g[data-i]') ?? []) {
      const key = keys[Number(group.dataset.i)];
      group.toggleAttribute('data-off', key !== undefined && hidden.has(key));
      group.toggleAttribute('data-dim', lit !== null && lit !== key);
    }
  }, [keys, hidden, lit]);

  // React listens passively to wheels; a zoom must keep the page from scrolling.
  useEffect(() => {
    const element = box.current;
    if (!element || !chart.zoom) return;
    const turned = (e: WheelEvent) => {
      if (!e.ctrlKey && document.activeElement?.parentElement !== element) return;
      e.preventDefault();
      const rect = element.getBoundingClientRect();
      const within = (place: number) => Math.min(1, Math.max(0, place));
      // Shift turns the wheel sideways in most engines: then y is meant.
      const by = (e.deltaY || e.deltaX) > 0 ? 1.25 : 0.8;
      if (e.shiftKey) zoomUp(within((bottom - (e.clientY - rect.top)) / (bottom - top)), by);
      else zoomAt(within((e.clientX - rect.left - left) / width), by);
    };
    element.addEventListener('wheel', turned, { passive: false });
    return () => element.removeEventListener('wheel', turned);
  });

  const zoomAt = (place: number, by: number) => {
    if (!chart.zoom) return;
    look([valueAt(chart.x, place - place * by), valueAt(chart.x, place + (1 - place) * by)]);
  };
  const zoomUp = (place: number, by: number) => {
    if (!chart.zoom || chart.y.measure === 'names') return;
    look(mine ? shared.view : null, [valueAt(chart.y, place - place * by), valueAt(chart.y, place + (1 - place) * by)]);
  };
  const move = (by: number) => chart.zoom && look([valueAt(chart.x, by), valueAt(chart.x, 1 + by)]);
  const point = (next: number | null) => {
    setAt(next);
    share({ x: next, along: chart.x.label });
  };

  const near: Near[] = [];
  if (lines && x !== null && inside) {
    values.series.forEach((s, i) => {
      const series = chart.series[i];
      if (!series || hidden.has(keyOf(series)) || s.x.length === 0) return;
      const first = s.x[0] ?? 0;
      const last = s.x[s.x.length - 1] ?? 0;
      const step = Math.max((last - first) / s.x.length, 0);
      if (x < first - step || x > last + step) return;
      const n = nearest(s.x, x);
      const value = s.y[n];
      const low = s.low[n];
      const high = s.high[n];
      const range = typeof low === 'number' && typeof high === 'number' && low !== high ? ` (${said(low)} to ${said(high)})` : '';
      const own = values.series[chart.series.findIndex((b) => b.baseline && b.metric === series.metric)];
      const base = own && own.x.length > 0 ? own.y[nearest(own.x, x)] : undefined;
      near.push({
        x: s.x[n] ?? x,
        name: series.name,
        key: keyOf(series),
        colour: series.colour,
        value: typeof value === 'number' ? `${said(value)}${range}${beside(value, base, series.baseline)}` : 'no number',
        y: typeof value === 'number' ? bottom - placeOf(chart.y, value) * (bottom - top) : Number.NaN,
      });
    });
    // Zoomed in, only what is in sight.
    if (tall) near.splice(0, near.length, ...near.filter((n) => n.y >= top && n.y <= bottom));
    const aim = y;
    if (aim === null) near.sort((a, b) => a.y - b.y);
    else near.sort((a, b) => Math.abs(a.y - aim) - Math.abs(b.y - aim));
  }
  // Where the nearest line really has a point, rather than where the pointer is.
  const point0 = near[0]?.x ?? x;
  const marked: Mark | undefined = mark === null ? undefined : chart.marks[mark];

  const pointed = (e: React.PointerEvent) => {
    const rect = e.currentTarget.getBoundingClientRect();
    const [mx, my] = [e.clientX - rect.left, e.clientY - rect.top];
    if (drag) {
      setDrag({ ...drag, to: Math.min(Math.max(mx, left), right), down: Math.min(Math.max(my, top), bottom) });
      return;
    }
    setHere(true);
    setY(my);
    if (chart.marks.length > 0) {
      let best: number | null = null;
      let far = 24 * 24;
      chart.marks.forEach((m, i) => {
        const series = chart.series[m.series];
        if (series && hidden.has(keyOf(series))) return;
        const distance = (m.x - mx) ** 2 + (m.y - my) ** 2;
        if (distance < far) [best, far] = [i, distance];
      });
      choose(best);
    } else {
      wake();
      point(mx < left || mx > right ? null : valueAt(chart.x, (mx - left) / width));
    }
  };
  const choose = (next: number | null) => {
    setMark(next);
    const series = next === null ? undefined : chart.series[chart.marks[next]?.series ?? -1];
    share({ run: series ? keyOf(series) : null });
  };
  const done = () => {
    if (!drag) return;
    const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    if (drag.pan) move(-(drag.to - drag.from) / width);
    else {
      const part = partOf(drag, top, bottom);
      const up = (px: number) => valueAt(chart.y, (bottom - px) / (bottom - top));
      const wide: [number, number] | null =
        b - a > 5 ? [valueAt(chart.x, (a - left) / width), valueAt(chart.x, (b - left) / width)] : mine ? shared.view : null;
      if (part.tall) look(wide, [up(part.bottom), up(part.top)]);
      else if (b - a > 5) look(wide, tall);
    }
    setDrag(null);
  };

  const runOf = (key: string | null | undefined) => chart.series.find((s) => keyOf(s) === key)?.runs[0];
  const pressed = (e: React.KeyboardEvent) => {
    const step = (by: number) => {
      if (chart.marks.length > 0) {
        const order = chart.marks.map((_, i) => i);
        choose(order[Math.min(Math.max((mark ?? (by > 0 ? -1 : order.length)) + by, 0), order.length - 1)] ?? null);
        return;
      }
      const longest = values?.series.reduce<number[]>((best, s) => (s.x.length > best.length ? s.x : best), []) ?? [];
      if (longest.length === 0) return;
      const now = x === null ? (by > 0 ? -1 : longest.length) : nearest(longest, x);
      point(longest[Math.min(Math.max(now + by, 0), longest.length - 1)] ?? null);
    };
    const lightNext = (by: number) => {
      const all = keys.filter((k) => !hidden.has(k));
      if (all.length === 0) return;
      const now = all.indexOf(shared.run ?? '');
      share({ run: all[(now + by + all.length) % all.length] ?? null });
    };
    const actions: Record<string, () => void> = {
      ArrowRight: () => (e.shiftKey ? move(0.2) : step(e.altKey ? 10 : 1)),
      ArrowLeft: () => (e.shiftKey ? move(-0.2) : step(e.altKey ? -10 : -1)),
      ArrowUp: () => lightNext(-1),
      ArrowDown: () => lightNext(1),
      Home: () => step(-1e9),
      End: () => step(1e9),
      '+': () => zoomAt(x === null ? 0.5 : Math.min(1, Math.max(0, placeOf(chart.x, x))), 0.5),
      '=': () => zoomAt(0.5, 0.5),
      '-': () => zoomAt(0.5, 2),
      PageUp: () => zoomUp(0.5, 0.5),
      PageDown: () => zoomUp(0.5, 2),
      '0': () => look(null, null),
      h: () => shared.run && share({ hidden: [...shared.hidden, shared.run], run: null }),
      o: () => shared.run && share({ hidden: keys.filter((k) => k !== shared.run) }),
      a: () => share({ hidden: [] }),
      p: () => {
        const run = runOf(shared.run ?? near[0]?.key);
        if (run && x !== null) onPin?.(run, x);
      },
      b: () => {
        const lit = chart.series.find((s) => keyOf(s) === (shared.run ?? near[0]?.key));
        if (lit?.runs.length === 1) measure(lit.baseline ? '' : (lit.runs[0] ?? ''));
      },
      Enter: () => {
        const run = marked ? chart.series[marked.series]?.runs[0] : runOf(shared.run);
        if (run) open(run);
      },
      Escape: () => {
        if (tall || (mine && shared.view)) look(null, null);
        else {
          point(null);
          choose(null);
        }
      },
    };
    const act = e.ctrlKey || e.metaKey ? undefined : actions[e.key];
    if (!act) return;
    e.preventDefault();
    e.stopPropagation();
    wake();
    setHere(true);
    setY(null);
    act();
  };
  const heading = point0 === null ? '' : `${chart.x.label} ${said(point0, chart.x.measure)}`;
  const spoken = marked
    ? marked.text.join(', ')
    : near.length > 0
      ? `${heading}: ${near
          .slice(0, 4)
          .map((n) => `${n.name} ${n.value}`)
          .join('; ')}`
      : chart.summary;
  const tipAt = marked ? marked.x : (px ?? 0);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the slider inside does the same by keys
    <div
      className="plot"
      ref={box}
      style={{ cursor: chart.zoom ? 'crosshair' : undefined }}
      onPointerMove={pointed}
      onPointerLeave={() => {
        if (drag) return;
        setHere(false);
        setMark(null);
        setAt(null);
        if (here) share({ x: null, run: null });
      }}
      onPointerDown={(e) => {
        if (e.button !== 0 || !chart.zoom || (e.target as Element).closest('button')) return;
        const rect = e.currentTarget.getBoundingClientRect();
        const [mx, my] = [e.clientX - rect.left, e.clientY - rect.top];
        if (mx < left || mx > right) return;
        e.currentTarget.setPointerCapture(e.pointerId);
        setDrag({ from: mx, to: mx, up: my, down: my, pan: e.shiftKey });
      }}
      onPointerUp={() => {
        const still = drag !== null && Math.abs(drag.to - drag.from) <= 5 && Math.abs(drag.down - drag.up) <= 5;
        done();
        if (still && marked) {
          const run = chart.series[marked.series]?.runs[0];
          if (run) open(run);
        }
      }}
      onPointerCancel={() => setDrag(null)}
      onDoubleClick={() => look(null, null)}
    >
      <Html html={art} />
      <Labels labels={labels} />
      <div
        className="reader"
        role="slider"
        tabIndex={0}
        aria-label={`${chart.title}: read values with the arrow keys`}
        aria-valuemin={chart.x.from}
        aria-valuemax={chart.x.to}
        aria-valuenow={x ?? chart.x.from}
        aria-valuetext={spoken}
        style={{ left, top, width, height: bottom - top }}
        onKeyDown={pressed}
        onFocus={wake}
        onBlur={() => {
          setHere(false);
          setAt(null);
          setMark(null);
          share({ x: null, run: null });
        }}
      />
      {children}
      {drag && !drag.pan && <div className="brush" style={brushed(drag, left, width, top, bottom)} />}
      {chart.zoom && chart.marks.length === 0 && inside && px !== null && (
        <div className="cross" style={{ left: px, top, height: bottom - top }} />
      )}
      {lines &&
        inside &&
        px !== null &&
        here &&
        near
          .slice(0, TIPS)
          .filter((n) => n.y >= top && n.y <= bottom)
          .map((n) => <div key={`${n.key}/${n.name}`} className="dot" style={{ left: px, top: n.y, background: n.colour }} />)}
      {marked && <div className="dot ring" style={{ left: marked.x, top: marked.y }} />}
      {here && !drag && ((lines && inside && near.length > 0) || marked) && (
        <div
          className="tip"
          style={tipAt > (left + right) / 2 ? { right: `calc(100% - ${tipAt - 10}px)`, top } : { left: tipAt + 10, top }}
        >
          {marked ? (
            marked.text.map((line, i) => (
              <div key={line} className={i === 0 ? 'strong' : undefined}>
                {line}
              </div>
            ))
          ) : (
            <>
              <div className="muted">{heading}</div>
              {near.slice(0, TIPS).map((n) => (
                <div key={`${n.key}/${n.name}`} className={shared.run === n.key ? 'strong' : undefined}>
                  <span className="swatch" style={{ background: n.colour }} />
                  {chart.series.length > 1 ? `${n.name}: ` : ''}
                  {n.value}
                </div>
              ))}
              {near.length > TIPS && <div className="muted">and {near.length - TIPS} more</div>}
            </>
          )}
        </div>
      )}
    </div>
  );
}
