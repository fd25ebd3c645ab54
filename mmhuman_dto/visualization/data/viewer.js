// The picture of the page: who is drawn, seen by which camera, and what pointers do.

class World {
  constructor(view) {
    this.view = view;
    this.renderer = new THREE.WebGLRenderer({ antialias: true });
    this.renderer.setClearColor('#eef0f3');
    view.append(this.renderer.domElement);
    this.scene = new THREE.Scene();
    const sun = new THREE.DirectionalLight('#ffffff', 1.9);
    sun.position.set(-.5, 1, .7);
    this.scene.add(new THREE.HemisphereLight('#ffffff', '#9aa3b0', 1.5), sun);
    this.space = new THREE.Group();
    this.space.matrixAutoUpdate = false;
    this.space.matrix.set(...page.camera_to_world.flat());
    this.scene.add(this.space);
    this.space.updateMatrixWorld(true);
    this.photo = new THREE.Texture(byId('view').appendChild(new Image()));
    this.photo.image.hidden = true;
    this.photo.colorSpace = THREE.SRGBColorSpace;
    this.photo.image.onload = () => { this.photo.needsUpdate = true; this.draw(); };
    this.photo.image.src = page.image.jpeg;
    this.placements = page.placements.map((placement) => this.place(placement));
    this.markSelection();
    this.ground = grid(gridOf(this.extent()));
    this.scene.add(this.ground.group);
    this.sharp = Math.min(window.devicePixelRatio, 2);
    this.ratio = this.sharp;
    this.faces = FACES;
    this.pace = 20;
    const canvas = this.renderer.domElement;
    this.views = { overview: overview(this.extent(), canvas), camera: fromCamera(this.space, canvas),
      above: fromAbove(this.extent(), canvas) };
    for (const { controls } of Object.values(this.views)) controls.addEventListener('change', () => this.draw());
    this.choose('overview');
    this.listen();
  }

  place(placement) {
    const group = new THREE.Group();
    const depths = placement.people.map(({ distance }) => distance);
    const meshes = placement.people.map((person) => {
      // What no seen joint tells is fainter.
      const faint = Boolean(person.mesh.opacity);
      const mesh = new THREE.Mesh(geometryOf(person),
        new THREE.MeshLambertMaterial({ vertexColors: faint, transparent: faint }));
      mesh.userData.person = person;
      return mesh;
    });
    const shown = placement.intrinsics && camera(placement.intrinsics, this.photo,
      Math.min(1.2, .5 * Math.min(...depths, 2.4)), Math.max(...depths, 5));
    group.add(...meshes, ...(shown ? [shown.group] : []));
    this.space.add(group);
    group.updateMatrixWorld(true);
    const marks = meshes.map(mark);
    marks.forEach((one) => this.scene.add(one));
    return { group, meshes, marks, photo: shown && shown.photo };
  }

  markSelection() {
    this.ring = new THREE.Mesh(new THREE.RingGeometry(.38, .46, 48).rotateX(-Math.PI / 2),
      new THREE.MeshBasicMaterial({ color: '#2f4a7d', side: THREE.DoubleSide }));
    this.scene.add(this.ring);
  }

  boxes() {
    return this.placements.flatMap(({ meshes }) => meshes.map((mesh) => this.boxOf(mesh)));
  }

  boxOf(mesh) {
    return mesh.geometry.boundingBox.clone().applyMatrix4(mesh.matrixWorld);
  }

  // Left, right, near, far edge of what the grid lies under: everybody, and the camera.
  extent() {
    const boxes = this.boxes();
    return [Math.min(-1, ...boxes.map(({ min }) => min.x)), Math.max(1, ...boxes.map(({ max }) => max.x)),
      Math.max(0, ...boxes.map(({ max }) => max.z)), Math.min(-4, ...boxes.map(({ min }) => min.z))];
  }

  choose(name) {
    for (const { controls } of Object.values(this.views)) controls.enabled = false;
    const { eye, controls } = this.views[name];
    [this.eye, this.controls] = [eye, controls];
    controls.enabled = true;
  }

  look(name) {
    this.choose(name);
    this.shape();
    this.views[name].aim(this.controls);
    this.eye.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  // All cameras fit the size of the view, and the placement that is shown.
  shape() {
    const { clientWidth: width, clientHeight: height } = this.view;
    for (const { eye, shape } of Object.values(this.views)) {
      shape({ width, height });
      eye.updateProjectionMatrix();
    }
  }

  update() {
    this.placements.forEach(({ group, meshes, marks }, i) => {
      group.visible = i === state.placement;
      meshes.forEach(({ material, userData }, row) => {
        material.color.set(colourOf(userData.person));
        material.emissive.set(userData.person.id === state.selected ? '#3a3a3a' : '#000000');
        marks[row].visible = group.visible;
        marks[row].children.forEach((part) => part.material.color.set(colourOf(userData.person)));
      });
    });
    const { marks } = this.placements[state.placement];
    const selected = marks[this.selectedRow()];
    this.ring.visible = Boolean(selected);
    if (selected) this.ring.position.copy(selected.position);
    this.shape();
    this.draw();
  }

  selectedRow() {
    return current().people.findIndex(({ id }) => id === state.selected);
  }

  // Drawn when something changed only. While frames take long they are of fewer triangles, then of fewer pixels, and
  // sharp once all is still.
  draw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame((now) => {
      this.scheduled = false;
      this.render(this.ratio, this.faces);
      requestAnimationFrame((next) => this.adapt(next - now));
      clearTimeout(this.rest);
      if (this.faces === COARSE) this.rest = setTimeout(() => this.render(this.sharp), 300);
    });
  }

  adapt(interval) {
    // One frame that took long, such as the first, says nothing of the next.
    this.pace += .2 * (Math.min(interval, 60) - this.pace);
    if (this.pace < 30) return;
    this.pace = 20;
    if (this.faces === FACES) this.faces = COARSE;
    else if (this.ratio > .4) this.ratio *= .8;
  }

  render(ratio, faces = FACES) {
    const { clientWidth, clientHeight } = this.view;
    if (this.renderer.getPixelRatio() !== ratio) this.renderer.setPixelRatio(ratio);
    const { width, height } = this.renderer.domElement.style;
    if (width !== `${clientWidth}px` || height !== `${clientHeight}px`) {
      this.renderer.setSize(clientWidth, clientHeight);
      this.shape();
    }
    const { photo, meshes } = this.placements[state.placement];
    for (const { geometry } of meshes) geometry.setIndex(faces);
    if (photo) photo.visible = byId('photo').checked && photo.material.map.image.complete;
    this.eye.updateMatrixWorld();
    for (const label of this.ground.labels) scaleLabel(label, this.eye, clientHeight);
    this.renderer.render(this.scene, this.eye);
    this.placeLabel();
  }

  placeLabel() {
    const mesh = this.placements[state.placement].meshes[this.selectedRow()];
    const label = byId('label');
    label.hidden = !mesh;
    if (!mesh) return;
    const { person } = mesh.userData;
    const { said } = person;
    label.textContent = said.note || `${said.height ? `${said.height} tall, ` : ''}${said.distance} away`;
    const box = this.boxOf(mesh);
    const head = box.getCenter(new THREE.Vector3()).setY(box.max.y + .08).project(this.eye);
    label.hidden = head.z > 1;
    const { clientWidth, clientHeight } = this.view;
    label.style.transform = `translate(${(head.x + 1) / 2 * clientWidth}px, ${(1 - head.y) / 2 * clientHeight}px)`
      + ' translate(-50%, -100%)';
  }

  pick({ clientX, clientY }) {
    const { left, top, width, height } = this.renderer.domElement.getBoundingClientRect();
    const pointer = new THREE.Vector2((clientX - left) / width * 2 - 1, 1 - (clientY - top) / height * 2);
    const ray = new THREE.Raycaster();
    ray.setFromCamera(pointer, this.eye);
    const [hit] = ray.intersectObjects(this.placements[state.placement].meshes, false);
    return hit ? hit.object.userData.person.id : null;
  }

  listen() {
    const canvas = this.renderer.domElement;
    let pressed = null;
    canvas.addEventListener('pointerdown', (event) => { pressed = event; });
    canvas.addEventListener('pointerup', (event) => {
      if (!pressed || event.button !== 0) return;
      if (Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > 4) return;
      const id = this.pick(event);
      if (id !== state.selected) select(id);
    });
    new ResizeObserver(() => this.render(this.sharp)).observe(this.view);
  }
}

// ---- Start ---------------------------------------------------------------------------------------------------------

let world = null;
try {
  world = new World(byId('view'));
} catch (error) {
  byId('failure').textContent = `No 3D view, this browser gives no WebGL: ${error.message}`;
  byId('failure').hidden = false;
}
if (page.placements.length > 1) {
  byId('placements').append(...page.placements.map(({ name }, i) => {
    const button = element('button', name);
    button.dataset.placement = i;
    return button;
  }));
}
document.querySelector('aside').addEventListener('click', ({ target }) => {
  const { placement, colour, view } = target.dataset;
  if (placement !== undefined) state.placement = Number(placement);
  if (colour !== undefined) state.colour = colour;
  if (view !== undefined) state.view = view;
  if (placement !== undefined || colour !== undefined || view !== undefined) update();
  if (view !== undefined && world) world.look(view);
});
byId('photo').addEventListener('change', () => world && world.draw());
byId('views').querySelector('[data-view=camera]').hidden = !current().intrinsics;
update();
if (world) {
  world.render(world.sharp);
  world.look('overview');
}
