// Draws the people described by the JSON of the page; its layout is that of mmhuman_dto/visualization/html_page.py.
// Text reaches the page through textContent only, so names of files are never markup.
'use strict';

const page = JSON.parse(document.getElementById('page').textContent);
const byId = (id) => document.getElementById(id);
const state = { placement: page.placements.length - 1, colour: 'person', selected: null };
const current = () => page.placements[state.placement];
const selectedPerson = () => current().people.find((person) => person.id === state.selected);

function element(tag, text = '', ...children) {
  const node = document.createElement(tag);
  node.textContent = text;
  node.append(...children);
  return node;
}

const UNKNOWN = 'unknown';

// ---- The panel -----------------------------------------------------------------------------------------------------

function showSummary() {
  const { people, focal, notes } = current();
  const count = people.length === 1 ? '1 person' : `${people.length} people`;
  byId('summary').textContent = `${count}, focal length ${focal.toFixed(0)} px of ${page.image.width} × `
    + `${page.image.height}${page.share < 1 ? `, meshes simplified to ${(100 * page.share).toFixed(0)} %` : ''}`;
  byId('notes').replaceChildren(...notes.map((note) => element('p', note)));
}

function showPeople() {
  const joints = current().people.some(({ said }) => said.joints);
  byId('joints').hidden = !joints;
  const rows = [...current().people].sort((a, b) => a.distance - b.distance).flatMap((person) => {
    const { said } = person;
    const swatch = element('i');
    swatch.style.background = colourOf(person);
    const button = element('button', '', swatch, `${person.id}`);
    const row = element('tr', '', element('td', '', button), element('td', said.height || UNKNOWN),
      element('td', said.distance), ...(joints ? [element('td', said.joints)] : []));
    const note = element('td', said.note);
    note.colSpan = row.children.length;
    return [row, ...(said.note ? [element('tr', '', note)] : [])].map((line) => {
      line.dataset.person = person.id;
      line.setAttribute('aria-selected', person.id === state.selected);
      line.addEventListener('click', () => select(person.id));
      return line;
    });
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

function showPressed() {
  const pressed = { colour: state.colour, placement: `${state.placement}` };
  for (const button of document.querySelectorAll('.row button')) {
    for (const [name, value] of Object.entries(pressed)) {
      if (name in button.dataset) button.setAttribute('aria-pressed', button.dataset[name] === value);
    }
  }
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
  showPressed();
  showLegend();
  if (world) world.update();
}

// ---- The scene: metres, y up, the ground at y = 0; people are in the camera frame below a turned group --------------

function decode(text, Type) {
  const binary = atob(text);
  return new Type(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)).buffer);
}

const [FACES, COARSE] = [page.faces, page.coarse].map((text) => (
  new THREE.BufferAttribute(decode(text, Uint32Array), 1)));

function geometryOf({ mesh }) {
  const steps = decode(mesh.steps, Uint16Array);
  const positions = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i += 1) positions[i] = mesh.origin[i % 3] + mesh.step * steps[i];
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.BufferAttribute(positions, 3));
  if (mesh.opacity) {
    const colours = new Uint8Array(positions.length / 3 * 4).fill(255);
    decode(mesh.opacity, Uint8Array).forEach((value, i) => { colours[4 * i + 3] = value; });
    geometry.setAttribute('color', new THREE.BufferAttribute(colours, 4, true));
  }
  geometry.setIndex([...FACES.array, ...COARSE.array]);
  geometry.computeVertexNormals();
  geometry.setIndex(FACES);
  geometry.computeBoundingBox();
  geometry.computeBoundingSphere();
  return geometry;
}

function lines(points, colour, opacity = 1) {
  const geometry = new THREE.BufferGeometry().setFromPoints(points.map((point) => new THREE.Vector3(...point)));
  return new THREE.LineSegments(geometry,
    new THREE.LineBasicMaterial({ color: colour, opacity, transparent: opacity < 1 }));
}

function textSprite(text, height) {
  const canvas = document.createElement('canvas');
  canvas.width = 256;
  canvas.height = 64;
  const context = canvas.getContext('2d');
  context.font = '44px system-ui, "DejaVu Sans", sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = '#5c6470';
  context.fillText(text, 128, 32);
  const texture = new THREE.CanvasTexture(canvas);
  texture.colorSpace = THREE.SRGBColorSpace;
  const sprite = new THREE.Sprite(new THREE.SpriteMaterial({ map: texture, depthWrite: false }));
  sprite.scale.set(4 * height, height, 1);
  return sprite;
}

// Every metre a line, every fifth a stronger one; of scenes wider than 80 m every tenth and fiftieth.
function grid([left, right, near, far]) {
  const group = new THREE.Group();
  const unit = Math.max(right - left, near - far) > 80 ? 10 : 1;
  const [x0, x1, z0, z1] = [Math.floor(left / unit) - 1, Math.ceil(right / unit) + 1, Math.floor(far / unit) - 1,
    Math.ceil(near / unit) + 1];
  const [thin, strong] = [[], []];
  for (let x = x0; x <= x1; x += 1) {
    (x % 5 ? thin : strong).push([x * unit, 0, z0 * unit], [x * unit, 0, z1 * unit]);
  }
  for (let z = z0; z <= z1; z += 1) {
    (z % 5 ? thin : strong).push([x0 * unit, 0, z * unit], [x1 * unit, 0, z * unit]);
  }
  group.add(lines(thin, '#d3d8df'), lines(strong, '#a8b0bc'));
  for (let z = -5; z >= z0; z -= 5) {
    const label = textSprite(`${-z * unit} m`, .45 * unit);
    label.position.set((x0 - .9) * unit, .2 * unit, z * unit);
    group.add(label);
  }
  return group;
}

// The camera's pyramid and its picture at `depth`, and thin lines of its view as far as the people.
function camera(placement, image, depth, far) {
  const [[fx, skew, cx], [, fy, cy]] = placement.intrinsics;
  const { width, height } = page.image;
  const corner = ([u, v], z) => {
    const y = (v - cy) / fy;
    return [z * (u - cx - skew * y) / fx, z * y, z];
  };
  const pixels = [[0, 0], [width, 0], [width, height], [0, height]];
  const [near, away] = [depth, far].map((z) => pixels.map((pixel) => corner(pixel, z)));
  const pyramid = near.flatMap((point, i) => [[0, 0, 0], point, point, near[(i + 1) % 4]]);
  const group = new THREE.Group();
  group.add(lines(pyramid, '#2f4a7d'), lines(near.flatMap((point, i) => [point, away[i]]), '#2f4a7d', .25));
  const geometry = new THREE.BufferGeometry().setFromPoints(near.map((point) => new THREE.Vector3(...point)));
  geometry.setAttribute('uv', new THREE.BufferAttribute(new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]), 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const photo = new THREE.Mesh(geometry, new THREE.MeshBasicMaterial({ map: image, side: THREE.DoubleSide }));
  photo.renderOrder = -1;
  group.add(photo);
  return { group, photo };
}

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
    this.eye = new THREE.PerspectiveCamera(45, 1, .02, 2000);
    this.controls = new THREE.OrbitControls(this.eye, this.renderer.domElement);
    this.controls.addEventListener('change', () => this.draw());
    this.photo = new THREE.Texture(byId('view').appendChild(new Image()));
    this.photo.image.hidden = true;
    this.photo.colorSpace = THREE.SRGBColorSpace;
    this.photo.image.onload = () => { this.photo.needsUpdate = true; this.draw(); };
    this.photo.image.src = page.image.jpeg;
    this.placements = page.placements.map((placement) => this.place(placement));
    this.markSelection();
    this.scene.add(grid(this.extent()));
    this.sharp = Math.min(window.devicePixelRatio, 2);
    this.ratio = this.sharp;
    this.faces = FACES;
    this.pace = 20;
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
    const shown = camera(placement, this.photo, Math.min(1.2, .5 * Math.min(...depths, 2.4)), Math.max(...depths, 5));
    group.add(shown.group, ...meshes);
    this.space.add(group);
    group.updateMatrixWorld(true);
    return { group, meshes, photo: shown.photo };
  }

  markSelection() {
    this.ring = new THREE.Mesh(new THREE.RingGeometry(.4, .48, 48).rotateX(-Math.PI / 2),
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

  look(name) {
    const [left, right, near, far] = this.extent();
    this.eye.fov = 45;
    if (name === 'camera') {
      this.lookFromCamera();
    } else {
      const corners = [left, right].flatMap((x) => [near, far].flatMap((z) => [0, 2].map((y) => [x, y, z])));
      this.lookAtAll(corners.map((corner) => new THREE.Vector3(...corner)),
        new THREE.Vector3(...(name === 'above' ? [0, 1, .001] : [.55, .5, .7])));
    }
    this.eye.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  // From a direction, as near as shows all the points.
  lookAtAll(points, direction) {
    const centre = points.reduce((sum, point) => sum.add(point), new THREE.Vector3()).divideScalar(points.length);
    const seen = (point) => {
      const { x, y, z } = point.clone().project(this.eye);
      return Math.abs(x) < .9 && Math.abs(y) < .9 && z < 1;
    };
    let distance = 2;
    do {
      distance *= 1.05;
      this.eye.position.copy(centre).addScaledVector(direction, distance);
      this.eye.lookAt(centre);
      this.eye.updateProjectionMatrix();
      this.eye.updateMatrixWorld();
    } while (distance < 1500 && !points.every(seen));
    this.controls.target.copy(centre);
  }

  // From where the photo was taken, with as much of a view as shows all of it.
  lookFromCamera() {
    const [[fx, , cx], [, fy, cy]] = current().intrinsics;
    const { width, height } = page.image;
    const across = Math.max(cx, width - cx) / fx;
    const upright = Math.max(cy, height - cy) / fy;
    this.eye.fov = Math.atan(1.05 * Math.max(upright, across / this.eye.aspect)) * 360 / Math.PI;
    const depth = Math.max(Math.min(...current().people.map(({ distance }) => distance), 5), .5);
    this.eye.position.set(0, 0, 0).applyMatrix4(this.space.matrixWorld);
    this.controls.target.set(0, 0, depth).applyMatrix4(this.space.matrixWorld);
  }

  update() {
    this.placements.forEach(({ group, meshes }, i) => {
      group.visible = i === state.placement;
      for (const { material, userData } of meshes) {
        material.color.set(colourOf(userData.person));
        material.emissive.set(userData.person.id === state.selected ? '#3a3a3a' : '#000000');
      }
    });
    const selected = this.selectedMesh();
    this.ring.visible = Boolean(selected);
    if (selected) {
      const middle = this.boxOf(selected).getCenter(new THREE.Vector3());
      this.ring.position.set(middle.x, .005, middle.z);
    }
    this.draw();
  }

  selectedMesh() {
    return this.placements[state.placement].meshes.find(({ userData }) => userData.person.id === state.selected);
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
      this.eye.aspect = clientWidth / clientHeight;
      this.eye.updateProjectionMatrix();
    }
    const { photo, meshes } = this.placements[state.placement];
    for (const { geometry } of meshes) geometry.setIndex(faces);
    photo.visible = byId('photo').checked && photo.material.map.image.complete;
    // Seen from the camera, the photo lies behind everybody.
    const taken = new THREE.Vector3().applyMatrix4(this.space.matrixWorld);
    const behind = this.eye.position.distanceTo(taken) < .1;
    photo.material.depthTest = !behind;
    photo.material.depthWrite = !behind;
    this.renderer.render(this.scene, this.eye);
    this.placeLabel();
  }

  placeLabel() {
    const mesh = this.selectedMesh();
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
  if (view !== undefined && world) world.look(view);
  if (placement !== undefined || colour !== undefined) update();
});
byId('photo').addEventListener('change', () => world && world.draw());
update();
if (world) {
  world.render(world.sharp);
  world.look('overview');
}
