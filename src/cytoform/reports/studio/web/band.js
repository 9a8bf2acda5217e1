// Distances near the surface of a cell, found coarse to fine, as in synthesis/narrow_band.py.

const LENGTHS = [2, 3, 4, 5, 6, 7, 8].map(power => 2 ** -power); // at which bounds were measured, in half extents
const NODES = 4, MARGIN = 2, REACH = 2.15; // cells of a prediction along an axis, and around the surface; REACH: bounds.py
const SIZES = [8, 4, 2]; // voxels a side of the cells of a lattice before the last
const EDGE = 1; // cells of the coarsest lattice beyond the cube: one is enough to interpolate within it
const RADIUS = 0.5; // of the ball that plans are weighed on

class Bounds {
  constructor({ slope, reaches, mispredictions }, scale) {
    Object.assign(this, { slope, reaches, mispredictions, scale });
  }

  reach(length) { return this.scale * at(length / this.scale, this.reaches, this.slope); }
  misprediction(width) { return this.scale * at(width / this.scale, this.mispredictions, REACH * this.slope); }
}

// Values measured at LENGTHS, between them linearly over logarithms; beyond them in proportion to the slope.
function at(length, measured, steepest) {
  if (length === 0) return 0;
  if (length > LENGTHS[0]) return measured[0] + steepest * (length - LENGTHS[0]);
  const last = LENGTHS.length - 1, x = Math.log(length), values = measured.map(value => Math.log(Math.max(value, 1e-9)));
  let high = 0; // LENGTHS fall
  while (high < last - 1 && Math.log(LENGTHS[high + 1]) > x) high++;
  const from = Math.log(LENGTHS[high + 1]), share = Math.max((x - from) / (Math.log(LENGTHS[high]) - from), 0);
  return Math.min(Math.exp(values[high + 1] + share * (values[high] - values[high + 1])), steepest * length);
}

// The levels, coarsest to single voxels, that evaluate the fewest points by the bounds.
function planLevels(bounds, band, size, dims) {
  const voxel = 2 / size, level = (cells, from) => {
    const reach = band + bounds.reach(Math.sqrt(dims) / 2 * (cells - 1) * voxel);
    return { size: cells, reach, threshold: reach + (from ? bounds.misprediction(from * voxel) : 0) };
  };
  const ball = dims === 3 ? 4 / 3 * Math.PI : Math.PI;
  const cost = levels => levels.reduce((sum, { size: cells, threshold }, i) => {
    if (!i) return sum + (Math.ceil(size / cells) + (levels.length > 1 ? 2 * EDGE : 0)) ** dims;
    const shell = ball * ((RADIUS + threshold) ** dims - Math.max(RADIUS - threshold, 0) ** dims);
    return sum + Math.min(shell, (2 + 2 * MARGIN * cells * voxel) ** dims) / (cells * voxel) ** dims;
  }, 0);
  let best = null;
  for (let chosen = 0; chosen < 1 << SIZES.length; chosen++) {
    const sizes = [...SIZES.filter((_, i) => chosen >> i & 1), 1];
    const levels = sizes.map((cells, i) => level(cells, i ? sizes[i - 1] : 0));
    const n = cost(levels);
    if (!best || n < best.n) best = { levels, n };
  }
  return best.levels;
}

// A box of distances { size, corner, shape, values } (z, y, x) that holds all that is inside; an image is one plane thick.
function search(frame, size, band, dims) {
  const [coarsest, ...finer] = planLevels(new Bounds(frame.bounds, frame.scale), band, size, dims);
  const margin = finer.length ? EDGE : 0, n = Math.ceil(size / coarsest.size) + 2 * margin;
  const flat = dims === 2;
  let lattice = { size: coarsest.size, corner: [flat ? 0 : -margin, -margin, -margin], shape: [flat ? 1 : n, n, n] };
  lattice.values = new Float32Array(lattice.shape.reduce((a, b) => a * b));
  let exact = new Uint8Array(lattice.values.length).fill(1);
  let evaluated = evaluateWhere(exact, lattice, frame, size, dims);
  [coarsest, ...finer].slice(0, -1).forEach((coarser, i) => {
    const { size: cells, threshold } = finer[i];
    lattice = predicted(lattice, coarser.reach, cells, size, dims);
    exact = new Uint8Array(lattice.values.length);
    for (let at = 0; at < exact.length; at++) exact[at] = Math.abs(lattice.values[at]) <= threshold ? 1 : 0;
    evaluated += evaluateWhere(exact, lattice, frame, size, dims);
  });
  for (;;) {
    const doubtful = signChanges(lattice, exact);
    if (!doubtful) return { ...lattice, evaluated };
    evaluated += evaluateWhere(doubtful, lattice, frame, size, dims);
    for (let i = 0; i < exact.length; i++) exact[i] |= doubtful[i];
  }
}

// Replace predicted distances by those of the cell; their number.
function evaluateWhere(where, { size: cells, corner, shape, values }, frame, size, dims) {
  let n = 0;
  for (let i = 0; i < where.length; i++) n += where[i];
  if (!n) return 0;
  const points = new Float32Array(dims * n), index = new Int32Array(n), width = cells * 2 / size;
  for (let z = 0, i = 0, found = 0; z < shape[0]; z++) for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++, i++) {
    if (!where[i]) continue;
    index[found] = i;
    points[found] = (corner[2] + x + 0.5) * width - 1;
    points[n + found] = (corner[1] + y + 0.5) * width - 1;
    if (dims === 3) points[2 * n + found] = (corner[0] + z + 0.5) * width - 1;
    found++;
  }
  const distances = frame.distances(points, n);
  for (let i = 0; i < n; i++) values[index[i]] = distances[i];
  return n;
}

// Finer cells in the box of all that are inside or within `reach`, and in a margin around it, by cubic interpolation.
function predicted(lattice, reach, cells, size, dims) {
  const margin = cells === 1 ? 0 : MARGIN, n = Math.ceil(size / cells), factor = lattice.size / cells;
  const corner = [0, 0, 0];
  let { values, shape } = lattice;
  const sides = nearSides(lattice, reach);
  for (let axis = dims === 3 ? 0 : 1; axis < 3; axis++) {
    const [first, last] = sides[axis], from = lattice.corner[axis];
    const low = Math.max(factor * (from + first) - margin, -margin);
    const high = Math.max(Math.min(factor * (from + last + 1) + margin, n + margin), low);
    [values, shape] = along(values, shape, axis, factor, low - factor * from, high - factor * from);
    corner[axis] = low;
  }
  return { size: cells, corner, shape, values };
}

// First and last place along each axis of the cells that are inside or within `reach`.
function nearSides({ shape, values }, reach) {
  const seen = shape.map(length => new Uint8Array(length));
  for (let z = 0, i = 0; z < shape[0]; z++) for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++, i++) {
    if (values[i] <= reach) seen[0][z] = seen[1][y] = seen[2][x] = 1;
  }
  return seen.map(places => places.includes(1) ? [places.indexOf(1), places.lastIndexOf(1)] : [0, -1]);
}

// Values at finer cells, from `low` up to `high` counted from the first, along one axis.
function along(values, shape, axis, factor, low, high) {
  const n = shape[axis], nodes = Math.min(NODES, n), count = high - low;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1), outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const found = new Float32Array(outer * count * inner);
  for (let k = 0; k < count; k++) {
    const position = (low + k + 0.5) / factor - 0.5, first = Math.max(0, Math.min(n - nodes, Math.floor(position) - 1));
    for (let node = 0; node < nodes; node++) {
      let weight = 1;
      for (let other = 0; other < nodes; other++) if (other !== node) weight *= (position - first - other) / (node - other);
      for (let o = 0; o < outer; o++) {
        const to = (o * count + k) * inner, from = (o * n + first + node) * inner;
        for (let i = 0; i < inner; i++) found[to + i] += weight * values[from + i];
      }
    }
  }
  return [found, shape.map((length, i) => i === axis ? count : length)];
}

// Predicted cells with a face neighbour on the other side of the surface; null without any.
function signChanges({ shape, values }, exact) {
  const found = new Uint8Array(values.length), steps = [shape[1] * shape[2], shape[2], 1];
  let some = false;
  for (let z = 0, i = 0; z < shape[0]; z++) for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++, i++) {
    const inside = values[i] <= 0;
    for (let axis = 0; axis < 3; axis++) {
      if ((axis === 0 ? z : axis === 1 ? y : x) + 1 >= shape[axis]) continue;
      const other = i + steps[axis];
      if (values[other] <= 0 === inside) continue;
      if (!exact[i]) some = found[i] = 1;
      if (!exact[other]) some = found[other] = 1;
    }
  }
  return some ? found : null;
}
