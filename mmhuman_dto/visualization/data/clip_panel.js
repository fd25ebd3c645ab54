// What is said beside the picture of a clip, and what of it is chosen: a time, s, above all.

const state = { time: 0, playing: false, speed: 1, view: 'overview', selected: null, trails: true, follow: false };
const colourOf = (person) => person.colours.person;
// What views need to know: the camera, and who is there, how far away.
const current = () => ({ intrinsics: page.intrinsics, people: world ? world.present() : [] });
const duration = () => TIMES[TIMES.length - 1] || 0;
const frameAt = (time) => lastUpTo(TIMES, time + 1e-6);

function showSummary() {
  const count = { 0: NOBODY, 1: '1 person' }[page.people.length] || `${page.people.length} people`;
  byId('summary').textContent = `${count} in ${TIMES.length} frames, ${duration().toFixed(1)} s; the camera `
    + `${page.moves ? 'moves' : 'stands still'}, focal length ${page.intrinsics[1][1].toFixed(0)} px of `
    + `${page.image.width} × ${page.image.height}`
    + `${page.share < 1 ? `; meshes simplified to ${(100 * page.share).toFixed(0)} %` : ''}`;
}

// Everybody who is ever there, by number; the distance of those who are there now.
function showPeople() {
  const distances = new Map(current().people.map(({ id, distance }) => [id, distance]));
  byId('people').tBodies[0].replaceChildren(...page.people.flatMap((person) => {
    const there = distances.has(person.id);
    const row = personRow(person, person.id === state.selected,
      [person.said.height || UNKNOWN, there ? `${distances.get(person.id).toFixed(1)} m` : 'away']);
    row.forEach((line) => line.classList.toggle('away', !there));
    return row;
  }));
}

function showTime() {
  const frame = frameAt(state.time);
  byId('scrub').value = frame;
  byId('clock').textContent = `${state.time.toFixed(2)} s, frame ${frame}`;
  byId('nobody').hidden = current().people.length > 0;
  byId('nobody').textContent = page.people.length ? 'Nobody at this time' : NOBODY;
}

function showControls() {
  byId('play').textContent = state.playing ? 'Pause' : 'Play';
  byId('follow').disabled = state.selected === null;
  showPressed({ speed: `${state.speed}`, view: state.view });
}

function select(id) {
  state.selected = id === state.selected ? null : id;
  update();
}

// Go to a time, and show what is so then.
function seek(time) {
  state.time = Math.min(Math.max(time, 0), duration());
  if (world) world.pose();
  showTime();
  showPeople();
}

// A frame on or back.
function step(frames) {
  seek(TIMES[Math.min(Math.max(frameAt(state.time) + frames, 0), TIMES.length - 1)]);
}

function play(playing) {
  state.playing = playing;
  if (playing && state.time >= duration()) seek(0);
  showControls();
  let before = null;
  const run = (now) => {
    if (!state.playing) return;
    // From the end to the start; after a page that was hidden, on from where it was.
    const time = state.time + state.speed * Math.min((now - (before ?? now)) / 1000, .25);
    before = now;
    seek(time >= duration() ? 0 : time);
    requestAnimationFrame(run);
  };
  if (playing) requestAnimationFrame(run);
}

function update() {
  showSummary();
  showControls();
  seek(state.time);
}
