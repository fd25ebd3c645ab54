// The people of a scene: meshes in the camera frame.

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

// Where a person is over the ground: a ring under the middle of its mesh, and a line to it from who floats or sinks.
function mark(mesh) {
  const positions = mesh.geometry.getAttribute('position');
  const [middle, point] = [new THREE.Vector3(), new THREE.Vector3()];
  let lowest = Infinity;
  for (let i = 0; i < positions.count; i += 1) {
    point.fromBufferAttribute(positions, i).applyMatrix4(mesh.matrixWorld);
    middle.add(point);
    lowest = Math.min(lowest, point.y);
  }
  middle.divideScalar(positions.count);
  const group = new THREE.Group();
  group.add(ring(.27, .33, '#ffffff'));
  if (Math.abs(lowest) > .05) group.add(lines([[0, 0, 0], [0, lowest, 0]], '#ffffff'));
  group.position.set(middle.x, .004, middle.z);
  return group;
}
