// What stands around people: metres, y up, the ground at y = 0; cameras are in their own frame below a turned group.

function decode(text, Type) {
  const binary = atob(text);
  return new Type(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)).buffer);
}

// What is drawn first. The photo lies over the ground and under everything else, so that it hides nobody.
const [GROUND_ORDER, PHOTO_ORDER] = [-2, -1];
// How high the letters of labels on the ground are, px of the view.
const LABEL_SIZE = 22;

function lines(points, colour, opacity = 1) {
  const geometry = new THREE.BufferGeometry().setFromPoints(points.map((point) => new THREE.Vector3(...point)));
  return new THREE.LineSegments(geometry,
    new THREE.LineBasicMaterial({ color: colour, opacity, transparent: opacity < 1 }));
}

function textSprite(text) {
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
  sprite.userData.text = text;
  return sprite;
}

// Labels are as large in the picture wherever they are and whatever camera sees them.
function scaleLabel(sprite, eye, viewHeight) {
  const { x, y, z } = sprite.position;
  const depth = eye.matrixWorldInverse.elements;
  const seen = depth[2] * x + depth[6] * y + depth[10] * z + depth[14];
  const projection = eye.projectionMatrix.elements;
  const size = LABEL_SIZE * 2 * (projection[11] * seen + projection[15]) / (projection[5] * viewHeight);
  sprite.scale.set(4 * size, size, 1);
}

// The ground's lines, and labels of metres along its left edge (away from the camera) and its front edge (to the side).
function grid({ x, z, unit, step }) {
  const [ground, labels] = [new THREE.Group(), new THREE.Group()];
  const strong = (place) => place % (5 * unit) === 0;
  const [left, right, far, near] = [x[0], x[x.length - 1], z[0], z[z.length - 1]];
  const across = z.map((place) => [strong(place), [left, 0, place], [right, 0, place]]);
  const along = x.map((place) => [strong(place), [place, 0, far], [place, 0, near]]);
  for (const [kind, colour] of [[false, '#d3d8df'], [true, '#a8b0bc']]) {
    const drawn = lines([...across, ...along].filter(([one]) => one === kind).flatMap(([, ...ends]) => ends), colour);
    drawn.renderOrder = GROUND_ORDER;
    ground.add(drawn);
  }
  const label = (metres, place) => {
    const sprite = textSprite(`${metres} m`);
    sprite.position.set(...place);
    labels.add(sprite);
  };
  z.filter((place) => place % step === 0).forEach((place) => label(-place || 0, [left - .4 * step, 0, place]));
  x.filter((place) => place % step === 0).forEach((place) => label(place, [place, 0, near + .4 * step]));
  return { group: new THREE.Group().add(ground, labels), labels: labels.children };
}

// A ring on the ground.
function ring(inner, outer, colour) {
  return new THREE.Mesh(new THREE.RingGeometry(inner, outer, 48).rotateX(-Math.PI / 2),
    new THREE.MeshBasicMaterial({ color: colour, side: THREE.DoubleSide }));
}

// The camera's pyramid at `depth`, and thin lines of its view as far as the people; where there is an image of what it
// saw, that is the pyramid's end.
function camera(intrinsics, image, depth, far) {
  const [[fx, skew, cx], [, fy, cy]] = intrinsics;
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
  const photo = image && photoOn(near, image);
  if (photo) group.add(photo);
  return { group, photo };
}

function photoOn(corners, image) {
  const geometry = new THREE.BufferGeometry().setFromPoints(corners.map((point) => new THREE.Vector3(...point)));
  geometry.setAttribute('uv', new THREE.BufferAttribute(new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]), 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const photo = new THREE.Mesh(geometry,
    new THREE.MeshBasicMaterial({ map: image, side: THREE.DoubleSide, depthWrite: false }));
  photo.renderOrder = PHOTO_ORDER;
  return photo;
}
