// What all pages share: what is said in them. The JSON's layout is that of the module that writes the page. Text
// reaches the page through textContent only, so names of files are never markup.
'use strict';

const page = JSON.parse(document.getElementById('page').textContent);
const byId = (id) => document.getElementById(id);

function element(tag, text = '', ...children) {
  const node = document.createElement(tag);
  node.textContent = text;
  node.append(...children);
  return node;
}

const [UNKNOWN, NOBODY] = ['unknown', 'Nobody found'];

// A person's row in the table: what it is called, and cells of what is said; a click selects it.
function personRow(person, selected, cells) {
  const swatch = element('i');
  swatch.style.background = colourOf(person);
  const button = element('button', '', swatch, `${person.id}`);
  const row = element('tr', '', element('td', '', button), ...cells.map((text) => element('td', text)));
  return [row, ...(person.said.note ? [noteRow(person.said.note, row.children.length)] : [])].map((line) => {
    line.dataset.person = person.id;
    line.setAttribute('aria-selected', selected);
    line.addEventListener('click', () => select(person.id));
    return line;
  });
}

function noteRow(text, width) {
  const note = element('td', text);
  note.colSpan = width;
  return element('tr', '', note);
}

// Which button of each group is on; `pressed`: {kind: value}.
function showPressed(pressed) {
  for (const button of document.querySelectorAll('.row button')) {
    for (const [name, value] of Object.entries(pressed)) {
      if (name in button.dataset) button.setAttribute('aria-pressed', button.dataset[name] === value);
    }
  }
}
