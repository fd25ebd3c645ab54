// What is said beside the picture of a scene, and what of the page is chosen.

const state = { placement: page.placements.length - 1, colour: 'person', view: 'overview', selected: null };
const current = () => page.placements[state.placement];
const selectedPerson = () => current().people.find((person) => person.id === state.selected);

function showSummary() {
  const { people, focal, notes } = current();
  const count = { 0: NOBODY, 1: '1 person' }[people.length] || `${people.length} people`;
  const camera = focal === null ? 'camera unknown' : `focal length ${focal.toFixed(0)} px`;
  byId('summary').textContent = `${count}, ${camera} of ${page.image.width} × ${page.image.height}`
    + `${page.share < 1 ? `, meshes simplified to ${(100 * page.share).toFixed(0)} %` : ''}`;
  byId('nobody').hidden = people.length > 0;
  byId('nobody').textContent = page.placements.some((placement) => placement.people.length)
    ? `Nobody ${current().name}` : NOBODY;
  byId('notes').replaceChildren(...notes.map((note) => element('p', note)));
}

function showPeople() {
  const joints = current().people.some(({ said }) => said.joints);
  byId('joints').hidden = !joints;
  const rows = [...current().people].sort((a, b) => a.distance - b.distance).flatMap((person) => {
    const { said } = person;
    return personRow(person, person.id === state.selected,
      [said.height || UNKNOWN, said.distance, ...(joints ? [said.joints] : [])]);
  });
  byId('people').tBodies[0].replaceChildren(...rows);
}

function showDetails() {
  const person = selectedPerson();
  byId('details').replaceChildren();
  if (!person) return;
  const list = element('dl');
  const add = (name, value, note = '') => {
    const cell = element('dd', value, ...(note ? [element('small', note)] : []));
    cell.dataset.field = name;
    list.append(element('dt', name), cell);
  };
  const other = page.placements.filter((placement) => placement !== current())
    .map((placement) => [placement.name, placement.people.find(({ id }) => id === person.id)])[0];
  const noteOf = (field) => (other && other[1] ? `${other[1].said[field] || UNKNOWN} ${other[0]}` : '');
  const { said } = person;
  add('Height', said.height || UNKNOWN, noteOf('height'));
  add('Distance', said.distance, noteOf('distance'));
  const unstated = person.height_std === null && person.distance_std === null;
  add('Uncertainty', unstated ? 'not stated' : '± 1 standard deviation');
  if (said.joints) add('Joints seen', said.joints);
  if (said.note) add('DTO', said.note);
  add('Age class', person.age_class);
  if (person.score !== null) add('Confidence', person.score.toFixed(2));
  if (person.transl) add('Translation', person.transl.map((value) => value.toFixed(2)).join('  '), 'x, y, z of transl, m');
  byId('details').append(element('h2', `Person ${person.id}`), list);
}

function showLegend() {
  const legend = byId('legend');
  legend.hidden = state.colour !== 'depth' || !page.depths;
  if (legend.hidden) return;
  legend.firstElementChild.textContent = `${page.depths[0].toFixed(1)} m`;
  legend.lastElementChild.textContent = `${page.depths[1].toFixed(1)} m`;
  legend.querySelector('i').style.background = `linear-gradient(to right, ${page.depth_scale.join(', ')})`;
}

const colourOf = (person) => person.colours[state.colour];

function select(id) {
  state.selected = id === state.selected ? null : id;
  update();
}

function update() {
  showSummary();
  showPeople();
  showDetails();
  showPressed({ colour: state.colour, placement: `${state.placement}`, view: state.view });
  showLegend();
  if (world) world.update();
}
