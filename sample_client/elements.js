// Builds the elements of a page. Text stays text: nothing here is ever parsed as HTML.

/** Create an element. Children that are missing (undefined, null, false, '') are left out. */
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.flat(Infinity).filter(Boolean));
  return node;
}

export function link(href, ...children) {
  return element('a', { href }, ...children);
}

/** Create a paragraph; none without a text. */
export function paragraph(text, className = '') {
  return text ? element('p', { className }, text) : null;
}

/** Create a row of links, and mark the one with the text `current`. */
export function choices(label, links, current) {
  for (const each of links) each.ariaCurrent = each.textContent === current ? 'page' : null;
  return element('nav', { className: 'choices', ariaLabel: label }, links);
}

/** Create a list of names and values. A name without a value is left out. */
export function definitions(known) {
  const rows = Object.entries(known).filter(([, value]) => value?.length);
  return element('dl', {}, rows.map(([name, value]) => [
    element('dt', {}, name),
    element('dd', {}, withCommas(value)),
  ]));
}

function withCommas(value) {
  return [value].flat().flatMap((each, index) => (index ? [', ', each] : [each]));
}
