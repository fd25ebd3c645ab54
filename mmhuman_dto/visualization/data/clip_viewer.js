// The picture of a clip: everybody as they are at the time that is chosen.

class ClipWorld extends World {
  constructor(view) {
    super(view);
    this.cameras = decode(page.camera, Float32Array);
    this.moveCamera(0);
    this.bodies = page.people.map((person) => new Body(person));
    for (const { mesh, ring: mark, trail } of this.bodies) this.scene.add(mesh, mark, trail);
    this.space.add(camera(page.intrinsics, null, .6, 3).group);
    this.begin();
  }

  moveCamera(frame) {
    if (this.cameras.length) this.space.matrix.set(...this.cameras.subarray(16 * frame, 16 * frame + 16));
    this.space.updateMatrixWorld(true);
  }

  // All the ways that people go, and the camera's.
  extent() {
    const [xs, zs] = [0, 2].map((i) => [
      ...this.bodies.flatMap(({ roots }) => [...roots].filter((_, k) => k % 3 === i)),
      ...[...this.cameras].filter((_, k) => k % 16 === 4 * i + 3)]);
    const least = (values, start) => values.reduce((one, other) => Math.min(one, other), start);
    const most = (values, start) => values.reduce((one, other) => Math.max(one, other), start);
    return [least(xs, -.5) - .5, most(xs, .5) + .5, most(zs, -.5) + .5, least(zs, -3.5) - .5];
  }

  // People who are there, with how far away they are along the camera's axis, m.
  present() {
    const at = this.space.matrix.elements;
    return this.bodies.filter((body) => body.isThere(state.time)).map((body) => ({ ...body.person,
      distance: body.middle().reduce((sum, place, i) => sum + at[8 + i] * (place - at[12 + i]), 0) }));
  }

  pose() {
    if (page.moves) this.moveCamera(frameAt(state.time));
    for (const body of this.bodies) {
      body.pose(state.time);
      body.mesh.material.emissive.set(body.person.id === state.selected ? '#3a3a3a' : '#000000');
    }
    const selected = this.selected();
    this.ring.visible = Boolean(selected);
    if (selected) this.ring.position.copy(selected.ring.position);
    this.follow(selected);
    if (page.moves && state.view === 'camera') this.ride();
    this.draw();
  }

  // The chosen person, where it is there.
  selected() {
    return this.bodies.find(({ person, mesh }) => person.id === state.selected && mesh.visible);
  }

  // The eye goes along with somebody.
  follow(body) {
    const place = body && state.follow ? [body.root[0], body.root[2]] : null;
    if (place && this.followed && state.view !== 'camera') {
      const [x, z] = place.map((value, i) => value - this.followed[i]);
      for (const point of [this.eye.position, this.controls.target]) {
        point.x += x;
        point.z += z;
      }
      this.controls.update();
    }
    this.followed = place;
  }

  // The eye is where the camera is, which moves: pointers do not.
  ride() {
    const { elements } = this.space.matrix;
    this.eye.position.set(elements[12], elements[13], elements[14]);
    this.eye.up.set(-elements[4], -elements[5], -elements[6]);
    this.eye.lookAt(elements[12] + elements[8], elements[13] + elements[9], elements[14] + elements[10]);
  }

  look(name) {
    super.look(name);
    this.followed = null;
    this.controls.enabled = !(page.moves && name === 'camera');
    this.pose();
  }

  prepare() {}

  selectedSays() {
    const body = this.selected();
    if (!body) return null;
    const { distance } = this.present().find(({ id }) => id === state.selected);
    const { height } = body.person.said;
    return { text: `${height ? `${height} tall, ` : ''}${distance.toFixed(1)} m away`,
      place: new THREE.Vector3(body.root[0], body.top + .08, body.root[2]) };
  }

  pickable() {
    return this.bodies.map(({ mesh }) => mesh).filter(({ visible }) => visible);
  }
}

// ---- Start ---------------------------------------------------------------------------------------------------------

let world = null;
world = openWorld(ClipWorld);
byId('scrub').max = Math.max(TIMES.length - 1, 0);
byId('scrub').addEventListener('input', ({ target }) => { play(false); seek(TIMES[Number(target.value)]); });
byId('play').addEventListener('click', () => play(!state.playing));
document.querySelector('aside').addEventListener('click', ({ target }) => {
  const { speed, view } = target.dataset;
  if (speed !== undefined) state.speed = Number(speed);
  if (view !== undefined) state.view = view;
  if (speed !== undefined || view !== undefined) showControls();
  if (view !== undefined && world) world.look(view);
});
for (const name of ['trails', 'follow']) {
  byId(name).addEventListener('change', ({ target }) => { state[name] = target.checked; seek(state.time); });
}
document.addEventListener('keydown', (event) => {
  if (event.target !== document.body && event.target !== byId('scrub')) return;
  const act = { ' ': () => play(!state.playing), ArrowLeft: () => { play(false); step(-1); },
    ArrowRight: () => { play(false); step(1); } }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
// It begins where somebody is there.
state.time = Math.min(...page.people.map(({ spans }) => spans[0][0]), duration());
update();
if (world) {
  world.render(world.sharp);
  world.look('overview');
}
