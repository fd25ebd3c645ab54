// The picture of a scene: its placements, one of which is shown, and the photo.

class SceneWorld extends World {
  constructor(view) {
    super(view);
    this.space.matrix.set(...page.camera_to_world.flat());
    this.space.updateMatrixWorld(true);
    this.photo = new THREE.Texture(byId('view').appendChild(new Image()));
    this.photo.image.hidden = true;
    this.photo.colorSpace = THREE.SRGBColorSpace;
    this.photo.image.onload = () => { this.photo.needsUpdate = true; this.draw(); };
    this.photo.image.src = page.image.jpeg;
    this.placements = page.placements.map((placement) => this.place(placement));
    this.faces = FACES;
    this.begin();
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

  boxes() {
    return this.placements.flatMap(({ meshes }) => meshes.map((mesh) => this.boxOf(mesh)));
  }

  boxOf(mesh) {
    return mesh.geometry.boundingBox.clone().applyMatrix4(mesh.matrixWorld);
  }

  // Everybody, and the camera.
  extent() {
    const boxes = this.boxes();
    return [Math.min(-1, ...boxes.map(({ min }) => min.x)), Math.max(1, ...boxes.map(({ max }) => max.x)),
      Math.max(0, ...boxes.map(({ max }) => max.z)), Math.min(-4, ...boxes.map(({ min }) => min.z))];
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

  isReduced() { return super.isReduced() || this.faces === COARSE; }

  coarsen() {
    if (this.faces === COARSE) return false;
    this.faces = COARSE;
    return true;
  }

  prepare(whole) {
    const { photo } = this.placements[state.placement];
    for (const { geometry } of this.pickable()) geometry.setIndex(whole ? FACES : this.faces);
    if (photo) photo.visible = byId('photo').checked && photo.material.map.image.complete;
  }

  selectedSays() {
    const mesh = this.pickable()[this.selectedRow()];
    if (!mesh) return null;
    const { said } = mesh.userData.person;
    const box = this.boxOf(mesh);
    return { text: said.note || `${said.height ? `${said.height} tall, ` : ''}${said.distance} away`,
      place: box.getCenter(new THREE.Vector3()).setY(box.max.y + .08) };
  }

  pickable() {
    return this.placements[state.placement].meshes;
  }
}

// ---- Start ---------------------------------------------------------------------------------------------------------

const world = openWorld(SceneWorld);
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
