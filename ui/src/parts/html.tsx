/** HTML that the core rendered and cleaned. The only place that puts markup into the page. */
export function Html({ html, className }: { html: string; className?: string }) {
  return <div className={className} dangerouslySetInnerHTML={{ __html: html }} />;
}
