/** What stands in the page's body: its own styles are for when it is opened alone. */
export function bodyOf(html: string): string {
  const from = html.indexOf('<body>');
  const to = html.lastIndexOf('</body>');
  return from >= 0 && to > from ? html.slice(from + 6, to) : html;
}
