// The people of a clip: bones that are turned, and meshes over them that follow, all in the world.

const FACES = new THREE.BufferAttribute(decode(page.faces, Uint32Array), 1);
const TIMES = decode(page.times, Float32Array);
const [BONES, SHARES] = [decode(page.bones, Uint8Array), decode(page.shares, Uint16Array)];
// A person's way over the ground: how wide it is drawn, how high over the ground, and how long it stays, s.
const [TRAIL_WIDTH, TRAIL_HEIGHT, TRAIL_SECONDS] = [.035, .006, 5];
// Rotations are this many times as large as shorts, shares of bones as unsigned ones.
const [SHORT, LARGEST] = [32767, 65535];

// The last row of rising numbers that is not after one; the first where all are.
function lastUpTo(numbers, one) {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle] <= one) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Between rotations `a` and `b`, rows of four in shorts, as a rotation matrix in 9 places of `out` from `to` on.
function turnBetween(turns, a, b, share, out, to) {
  const q = [0, 1, 2, 3].map((i) => (1 - share) * turns[a + i] + share * turns[b + i]);
  const [x, y, z, w] = q.map((value) => value / Math.hypot(...q));
  out.set([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
    2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
    2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], to);
}

class Body {
  constructor(person) {
    this.person = person;
    this.rows = decode(person.rows, Uint32Array);
    this.times = Float32Array.from(this.rows, (row) => TIMES[row]);
    this.turns = decode(person.turns, Int16Array);
    this.roots = decode(person.root, Float32Array);
    this.joints = decode(person.rest, Float32Array);
    this.moments = decode(person.moments, Float32Array);
    const steps = decode(person.mesh.steps, Uint16Array);
    this.rest = Float32Array.from(steps, (value, i) => person.mesh.origin[i % 3] + person.mesh.step * value);
    this.geometry = new THREE.BufferGeometry();
    this.geometry.setAttribute('position', new THREE.BufferAttribute(this.rest.slice(), 3));
    this.geometry.setIndex(FACES);
    this.geometry.computeVertexNormals();
    this.restNormals = this.geometry.getAttribute('normal').array.slice();
    this.geometry.computeBoundingSphere();
    this.mesh = new THREE.Mesh(this.geometry, new THREE.MeshLambertMaterial({ color: colourOf(person) }));
    this.mesh.frustumCulled = false;
    this.mesh.userData.person = person;
    this.ring = ring(.27, .33, colourOf(person));
    this.trail = this.trailOf();
    this.root = new Float32Array(3);
    const count = page.parents.length;
    [this.local, this.turned, this.places, this.moves] = [9, 9 * count, 3 * count, 12 * count].map((size) => (
      new Float32Array(size)));
  }

  isThere(time) {
    return this.person.spans.some(([from, to]) => time >= from - 1e-6 && (to === null || time < to - 1e-6));
  }

  // Where the pelvis is at a time, m.
  rootAt(time) {
    const [a, b, share] = this.between(time);
    return [0, 1, 2].map((i) => (1 - share) * this.roots[3 * a + i] + share * this.roots[3 * b + i]);
  }

  // Rows before and after a time, and how far it is between them.
  between(time) {
    const a = lastUpTo(this.times, time);
    const b = Math.min(a + 1, this.times.length - 1);
    const share = b > a ? (time - this.times[a]) / (this.times[b] - this.times[a]) : 0;
    return [a, b, Math.min(Math.max(share, 0), 1)];
  }

  // Everything of somebody who is there as it is at a time.
  pose(time) {
    const there = this.isThere(time);
    for (const thing of [this.mesh, this.ring]) thing.visible = there;
    this.trail.visible = there && state.trails;
    if (!there) return;
    this.moveBones(time);
    this.moveMesh();
    this.ring.position.set(this.root[0], .004, this.root[2]);
    const { center } = this.geometry.boundingSphere;
    center.set(...this.root);
    this.geometry.boundingSphere.radius = 2;
    const [first, last] = [lastUpTo(this.times, time - TRAIL_SECONDS), lastUpTo(this.times, time)];
    this.trail.geometry.setDrawRange(6 * first, 6 * (last - first));
  }

  // Forward kinematics: `moves`, three rows of four of each bone, lead from the mesh at rest to the world.
  moveBones(time) {
    const [a, b, share] = this.between(time);
    const { local, turned, places, joints } = this;
    const count = page.parents.length;
    this.root.set(this.rootAt(time));
    page.parents.forEach((parent, bone) => {
      turnBetween(this.turns, 4 * (a * count + bone), 4 * (b * count + bone), share, local, 0);
      const [to, from] = [9 * bone, 9 * parent];
      for (let i = 0; i < 3; i += 1) {
        let place = this.root[i];
        if (parent >= 0) {
          place = places[3 * parent + i];
          for (let j = 0; j < 3; j += 1) {
            place += turned[from + 3 * i + j] * (joints[3 * bone + j] - joints[3 * parent + j]);
          }
        }
        places[3 * bone + i] = place;
        for (let j = 0; j < 3; j += 1) {
          turned[to + 3 * i + j] = parent < 0 ? local[3 * i + j] : turned[from + 3 * i] * local[j]
            + turned[from + 3 * i + 1] * local[3 + j] + turned[from + 3 * i + 2] * local[6 + j];
        }
      }
      for (let i = 0; i < 3; i += 1) {
        let shift = places[3 * bone + i];
        for (let j = 0; j < 3; j += 1) {
          this.moves[12 * bone + 4 * i + j] = turned[to + 3 * i + j];
          shift -= turned[to + 3 * i + j] * joints[3 * bone + j];
        }
        this.moves[12 * bone + 4 * i + 3] = shift;
      }
    });
  }

  // The mean of the whole mesh, m, whose distance is the person's.
  middle() {
    return [0, 1, 2].map((i) => this.moments.reduce((sum, moment, k) => (
      sum + this.moves[12 * (k >> 2) + 4 * i + (k & 3)] * moment), 0));
  }

  // Linear blend skinning of places and normals.
  moveMesh() {
    const [places, normals] = ['position', 'normal'].map((name) => this.geometry.getAttribute(name));
    const { rest, restNormals, moves } = this;
    const blend = new Float32Array(12);
    this.top = -Infinity;
    for (let v = 0; v < rest.length / 3; v += 1) {
      blend.fill(0);
      for (let k = page.width * v; k < page.width * (v + 1); k += 1) {
        const share = SHARES[k] / LARGEST;
        if (share) for (let i = 0; i < 12; i += 1) blend[i] += share * moves[12 * BONES[k] + i];
      }
      const [x, y, z, nx, ny, nz] = [rest[3 * v], rest[3 * v + 1], rest[3 * v + 2],
        restNormals[3 * v], restNormals[3 * v + 1], restNormals[3 * v + 2]];
      for (let i = 0; i < 3; i += 1) {
        places.array[3 * v + i] = blend[4 * i] * x + blend[4 * i + 1] * y + blend[4 * i + 2] * z + blend[4 * i + 3];
        normals.array[3 * v + i] = blend[4 * i] * nx + blend[4 * i + 1] * ny + blend[4 * i + 2] * nz;
      }
      this.top = Math.max(this.top, places.array[3 * v + 1]);
    }
    places.needsUpdate = true;
    normals.needsUpdate = true;
  }

  // A ribbon on the ground along the whole way, of which only the last part is drawn; none over long absences.
  trailOf() {
    const count = this.times.length;
    const points = new Float32Array(6 * count);
    const index = [];
    for (let row = 0; row < count; row += 1) {
      const [before, after] = [Math.max(row - 1, 0), Math.min(row + 1, count - 1)];
      const [dx, dz] = [0, 2].map((i) => this.roots[3 * after + i] - this.roots[3 * before + i]);
      const half = TRAIL_WIDTH / 2 / (Math.hypot(dx, dz) || 1);
      const [x, z] = [this.roots[3 * row], this.roots[3 * row + 2]];
      points.set([x - half * dz, TRAIL_HEIGHT, z + half * dx, x + half * dz, TRAIL_HEIGHT, z - half * dx], 6 * row);
      if (row + 1 === count) break;
      const there = this.isThere((this.times[row] + this.times[row + 1]) / 2);
      index.push(...[0, 1, 2, 2, 1, 3].map((corner) => 2 * row + (there ? corner : 0)));
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute('position', new THREE.BufferAttribute(points, 3));
    geometry.setIndex(index);
    const trail = new THREE.Mesh(geometry,
      new THREE.MeshBasicMaterial({ color: colourOf(this.person), side: THREE.DoubleSide }));
    trail.frustumCulled = false;
    return trail;
  }
}
