import { useEffect, useRef } from 'react';

/** Who follows links to records, and shows what is behind them: the screens say it once, at the start. */
interface Follow {
  open: (kind: string, id: string) => void;
  show: (kind: string, id: string, at: DOMRect) => void;
  hide: () => void;
}

let follow: Follow | null = null;
export const setFollow = (next: Follow | null) => {
  follow = next;
};

const target = (event: Event): [HTMLAnchorElement, string, string] | null => {
  const link = (event.target as HTMLElement | null)?.closest?.('a');
  const [kind, id] = (link?.getAttribute('href') ?? '').replace(/^cairn:/, '').split('/');
  return link?.getAttribute('href')?.startsWith('cairn:') && kind && id ? [link, kind, id] : null;
};

/** HTML that the core rendered and cleaned. The only place that puts markup into the page. */
export function Html({ html, className }: { html: string; className?: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = box.current;
    if (!root) return;
    const click = (event: Event) => {
      const link = target(event);
      if (!link) return;
      event.preventDefault();
      follow?.hide();
      follow?.open(link[1], link[2]);
    };
    const over = (event: Event) => {
      const link = target(event);
      if (link) follow?.show(link[1], link[2], link[0].getBoundingClientRect());
    };
    const out = (event: Event) => target(event) && follow?.hide();
    root.addEventListener('click', click);
    for (const name of ['mouseover', 'focusin']) root.addEventListener(name, over);
    for (const name of ['mouseout', 'focusout']) root.addEventListener(name, out);
    return () => {
      root.removeEventListener('click', click);
      for (const name of ['mouseover', 'focusin']) root.removeEventListener(name, over);
      for (const name of ['mouseout', 'focusout']) root.removeEventListener(name, out);
    };
  }, []);
  return <div ref={box} className={className} dangerouslySetInnerHTML={{ __html: html }} />;
}
