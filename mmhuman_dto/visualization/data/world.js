// The picture of a page: its ground, its cameras, when it is drawn, and what pointers do. Who is in it is a child's,
// who has `extent()` (left, right, near, far edge of what the grid lies under), `pickable()` (meshes with a person
// each), `selectedSays()` ({ text, place } of the label, or null) and `prepare(whole)`, before each drawing.

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
    // The frame of the camera that took the picture.
    this.space = new THREE.Group();
    this.space.matrixAutoUpdate = false;
    this.scene.add(this.space);
    this.ring = ring(.38, .46, '#2f4a7d');
    this.scene.add(this.ring);
  }

  // Once everybody is there.
  begin() {
    this.ground = grid(gridOf(this.extent()));
    this.scene.add(this.ground.group);
    this.sharp = Math.min(window.devicePixelRatio, 2);
    this.ratio = this.sharp;
    this.pace = 20;
    const canvas = this.renderer.domElement;
    this.views = { overview: overview(this.extent(), canvas), camera: fromCamera(this.space, canvas),
      above: fromAbove(this.extent(), canvas) };
    for (const { controls } of Object.values(this.views)) controls.addEventListener('change', () => this.draw());
    this.choose('overview');
    this.listen();
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

  // All cameras fit the size of the view, and what is shown.
  shape() {
    const { clientWidth: width, clientHeight: height } = this.view;
    for (const { eye, shape } of Object.values(this.views)) {
      shape({ width, height });
      eye.updateProjectionMatrix();
    }
  }

  // Drawn when something changed only. While frames take long they are of fewer triangles, then of fewer pixels, and
  // sharp once all is still.
  draw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame((now) => {
      this.scheduled = false;
      this.render(this.ratio, false);
      requestAnimationFrame((next) => this.adapt(next - now));
      clearTimeout(this.rest);
      if (this.isReduced()) this.rest = setTimeout(() => this.render(this.sharp), 300);
    });
  }

  isReduced() { return this.ratio < this.sharp; }

  // Whether there were triangles to be spared.
  coarsen() { return false; }

  adapt(interval) {
    // One frame that took long, such as the first, says nothing of the next.
    this.pace += .2 * (Math.min(interval, 60) - this.pace);
    if (this.pace < 30) return;
    this.pace = 20;
    if (!this.coarsen() && this.ratio > .4) this.ratio *= .8;
  }

  render(ratio, whole = true) {
    const { clientWidth, clientHeight } = this.view;
    if (this.renderer.getPixelRatio() !== ratio) this.renderer.setPixelRatio(ratio);
    const { width, height } = this.renderer.domElement.style;
    if (width !== `${clientWidth}px` || height !== `${clientHeight}px`) {
      this.renderer.setSize(clientWidth, clientHeight);
      this.shape();
    }
    this.prepare(whole);
    this.eye.updateMatrixWorld();
    for (const label of this.ground.labels) scaleLabel(label, this.eye, clientHeight);
    this.renderer.render(this.scene, this.eye);
    this.placeLabel();
  }

  placeLabel() {
    const says = this.selectedSays();
    const label = byId('label');
    label.hidden = !says;
    if (!says) return;
    label.textContent = says.text;
    const head = says.place.project(this.eye);
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
    const [hit] = ray.intersectObjects(this.pickable(), false);
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

// The world of a kind, or null where the browser gives no WebGL, which is said.
function openWorld(Kind) {
  try {
    return new Kind(byId('view'));
  } catch (error) {
    byId('failure').textContent = `No 3D view, this browser gives no WebGL: ${error.message}`;
    byId('failure').hidden = false;
    return null;
  }
}
