// The cameras of the page, each with its controls: `aim` puts one where its view begins, `shape` makes its projection
// that of a view's size. `canvas` is where pointers move them.

function viewOf(eye, canvas, shape, aim) {
  return { eye, controls: new THREE.OrbitControls(eye, canvas), shape, aim };
}

// `extent`: left, right, near and far edge of what is shown, m.
function overview([left, right, near, far], canvas) {
  const eye = new THREE.PerspectiveCamera(45, 1, .02, 2000);
  const corners = [left - 1, right].flatMap((x) => [near + 1, far].flatMap((z) => [0, 2].map((y) => (
    new THREE.Vector3(x, y, z)))));
  return viewOf(eye, canvas, ({ width, height }) => { eye.aspect = width / height; }, (controls) => {
    controls.target.copy(lookAtAll(eye, corners));
  });
}

// From a direction, as near as shows all the points; gives their middle.
function lookAtAll(eye, points) {
  const direction = new THREE.Vector3(.55, .5, .7);
  const centre = points.reduce((sum, point) => sum.add(point), new THREE.Vector3()).divideScalar(points.length);
  const seen = (point) => {
    const { x, y, z } = point.clone().project(eye);
    return Math.abs(x) < .9 && Math.abs(y) < .9 && z < 1;
  };
  let distance = 2;
  do {
    distance *= 1.05;
    eye.position.copy(centre).addScaledVector(direction, distance);
    eye.lookAt(centre);
    eye.updateMatrixWorld();
  } while (distance < 1500 && !points.every(seen));
  return centre;
}

// The camera that took the photo: its place, its axes and its intrinsics, whatever the shape of the view. It turns
// about its own up; about the ground's it would be tilted at once. `space`: its frame.
function fromCamera(space, canvas) {
  const eye = new THREE.PerspectiveCamera(45, 1, .02, 2000);
  eye.up.set(0, -1, 0).transformDirection(space.matrixWorld);
  let size = { width: 1, height: 1 };
  eye.updateProjectionMatrix = () => {
    if (!current().intrinsics) return;
    const intrinsics = fittedIntrinsics(current().intrinsics, page.image, size);
    eye.projectionMatrix.set(...pinholeProjection(intrinsics, size, eye.near, eye.far));
    eye.projectionMatrixInverse.copy(eye.projectionMatrix).invert();
  };
  return viewOf(eye, canvas, (given) => { size = given; }, (controls) => {
    const depth = Math.max(Math.min(...current().people.map(({ distance }) => distance), 5), .5);
    eye.position.set(0, 0, 0).applyMatrix4(space.matrixWorld);
    controls.target.set(0, 0, depth).applyMatrix4(space.matrixWorld);
  });
}

// A map: straight from above, of one scale everywhere, the camera at its lower end. It moves and does not turn.
function fromAbove([left, right, near, far], canvas) {
  const eye = new THREE.OrthographicCamera();
  eye.up.set(0, 0, -1);
  const view = viewOf(eye, canvas, ({ width, height }) => {
    const half = .55 * Math.max(near - far + 2, (right - left + 2) * height / width);
    [eye.bottom, eye.top, eye.left, eye.right] = [-half, half, -half * width / height, half * width / height];
  }, (controls) => {
    eye.zoom = 1;
    eye.position.set((left + right) / 2, 100, (near + far) / 2);
    controls.target.copy(eye.position).setY(0);
  });
  view.controls.enableRotate = false;
  view.controls.mouseButtons.LEFT = view.controls.mouseButtons.RIGHT;
  return view;
}
