// Marching cubes (Lorensen and Cline 1987): closed surfaces of boxes of distances.

// Corners of a voxel cube are numbered x + 2y + 4z. An edge is 3 × its first corner + its axis.
// Corners of each face, counter-clockwise from outside.
const FACES = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];

const edgeOf = (a, b) => 3 * Math.min(a, b) + Math.log2(Math.abs(a - b));

// For each of the 256 patterns of corners inside, edges in threes. On a face with two inside corners across from each
// other, these are separated: neighbours decide alike, and the surface is closed.
const TRIANGLES = Array.from({ length: 256 }, (_, pattern) => {
  const inside = corner => pattern >> corner & 1, next = new Map();
  for (const face of FACES) {
    for (let i = 0; i < 4; i++) {
      if (inside(face[i]) || !inside(face[(i + 1) % 4])) continue;
      let j = (i + 1) % 4; // an inside corner; the surface runs from the edge before it to the edge after the last
      while (inside(face[(j + 1) % 4])) j = (j + 1) % 4;
      next.set(edgeOf(face[i], face[(i + 1) % 4]), edgeOf(face[j], face[(j + 1) % 4]));
    }
  }
  const triangles = [];
  while (next.size) {
    const loop = [];
    for (let edge = next.keys().next().value; next.has(edge);) {
      loop.push(edge);
      const following = next.get(edge);
      next.delete(edge);
      edge = following;
    }
    for (let i = 1; i + 1 < loop.length; i++) triangles.push(loop[0], loop[i], loop[i + 1]);
  }
  return triangles;
});

// The surface of a box of distances of voxels `spacing` wide, as { points, faces } around the centre of the cube; null if empty.
// Without a lid it is open along z.
function surfaceOf(box, size, spacing, band, lid = 1) {
  const { values, shape, steps, corner } = padded(box, band, lid);
  const own = new Int32Array(3 * values.length), places = [], faces = [];
  const origin = [2, 1, 0].map(axis => corner[axis] + 0.5 - size / 2);
  let n = 0;
  for (let z = 0, i = 0; z < shape[0]; z++) for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++, i++) {
    const value = values[i], inside = value <= 0;
    for (let axis = 0; axis < 3; axis++) {
      if ((axis === 0 ? x : axis === 1 ? y : z) + 1 >= shape[2 - axis]) continue;
      const other = values[i + steps[axis]];
      if (inside === other <= 0) continue;
      const share = value / (value - other);
      places.push((x + (axis === 0 ? share : 0) + origin[0]) * spacing, (y + (axis === 1 ? share : 0) + origin[1]) * spacing,
        (z + (axis === 2 ? share : 0) + origin[2]) * spacing);
      own[3 * i + axis] = n++;
    }
  }
  if (!n) return null;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(c => (c & 1) * steps[0] + (c >> 1 & 1) * steps[1] + (c >> 2) * steps[2]);
  for (let z = 0; z + 1 < shape[0]; z++) for (let y = 0; y + 1 < shape[1]; y++) {
    for (let x = 0, i = z * steps[2] + y * steps[1]; x + 1 < shape[2]; x++, i++) {
      let pattern = 0;
      for (let c = 0; c < 8; c++) if (values[i + corners[c]] <= 0) pattern |= 1 << c;
      if (pattern === 0 || pattern === 255) continue;
      const edges = TRIANGLES[pattern];
      for (let k = 0; k < edges.length; k++) faces.push(own[3 * (i + corners[Math.floor(edges[k] / 3)]) + edges[k] % 3]);
    }
  }
  return { points: Float32Array.from(places), faces: n < 65536 ? Uint16Array.from(faces) : Uint32Array.from(faces) };
}

// Distances cut off at the band, with a voxel of outside all around; along z only with a lid.
function padded({ values, shape, corner }, band, lid) {
  const margins = [lid, 1, 1], wide = shape.map((length, axis) => length + 2 * margins[axis]);
  const steps = [1, wide[2], wide[1] * wide[2]], found = new Float32Array(wide[0] * steps[2]).fill(band);
  for (let z = 0, i = 0; z < shape[0]; z++) for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++, i++) {
    // A voxel of exactly 0 is inside, but triangles would collapse onto it.
    found[(z + lid) * steps[2] + (y + 1) * steps[1] + x + 1] = Math.max(Math.min(values[i], band), -band) || -1e-6 * band;
  }
  return { values: found, shape: wide, steps, corner: corner.map((place, axis) => place - margins[axis]) };
}

// The cell of an image as a plate of so many voxels in the middle of the cube.
function plate({ values, shape, corner, ...rest }, size, thick) {
  const thicker = new Float32Array(thick * values.length);
  for (let z = 0; z < thick; z++) thicker.set(values, z * values.length);
  return { ...rest, values: thicker, shape: [thick, shape[1], shape[2]], corner: [(size - thick) / 2, corner[1], corner[2]] };
}

// Size and extent: volume and area of a surface; of a plate without a lid, `height` thick, area and length of its outline.
function measured({ points, faces }, height = 0) {
  let size = 0, extent = 0;
  for (let f = 0; f < faces.length; f += 3) {
    const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
    const ux = points[b] - points[a], uy = points[b + 1] - points[a + 1], uz = points[b + 2] - points[a + 2];
    const vx = points[c] - points[a], vy = points[c + 1] - points[a + 1], vz = points[c + 2] - points[a + 2];
    const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
    size += (points[a] + points[b] + points[c]) * nx + (points[a + 1] + points[b + 1] + points[c + 1]) * ny;
    if (!height) size += (points[a + 2] + points[b + 2] + points[c + 2]) * nz;
    extent += Math.sqrt(nx * nx + ny * ny + nz * nz);
  }
  return height ? { size: size / 12 / height, extent: extent / 2 / height } : { size: size / 18, extent: extent / 2 };
}
