// Components of distances on a coarse grid: the distance of a cell is a cubic spline over the nodes.

// Cubic B-splines on even knots at a time in [-1, 1], clamped at both ends; of a lower degree for fewer than four.
function splineBasis(time, knots) {
  const degree = Math.min(3, knots - 1), t = Math.max(-1, Math.min(1, time)), pieces = knots - degree;
  const place = i => Math.max(-1, Math.min(1, -1 + 2 * (i - degree) / pieces));
  const piece = Math.min(pieces - 1, Math.floor((t + 1) / 2 * pieces)) + degree;
  const values = new Float64Array(knots + degree + 1);
  values[piece] = 1;
  for (let order = 1; order <= degree; order++) {
    for (let i = piece - order; i <= piece; i++) {
      const before = place(i + order) - place(i), after = place(i + order + 1) - place(i + 1);
      values[i] = (before > 0 ? (t - place(i)) / before * values[i] : 0)
        + (after > 0 ? (place(i + order + 1) - t) / after * values[i + 1] : 0);
    }
  }
  return values.subarray(0, knots);
}

// Values at equal times over a movie, at a time in [-1, 1].
function atTime(values, time) {
  const place = Math.min(Math.max((time + 1) / 2, 0), 1) * (values.length - 1);
  const low = Math.min(Math.floor(place), Math.max(values.length - 2, 0)), share = place - low;
  return (1 - share) * values[low] + share * values[Math.min(low + 1, values.length - 1)];
}

// Of components, along x, y and z: bit by bit whether they are odd.
const symmetriesOf = odd => odd.map(axes => axes.reduce((bits, is, axis) => bits | is << axis, 0));

class LinearGrid {
  constructor(header, arrays) {
    Object.assign(this, { header, arrays });
    const { dims, nodes } = header;
    this.half = nodes / 2;
    this.octant = this.half ** dims;
    this.symmetry = symmetriesOf(header.odd);
  }

  frame(cell, time) {
    const scale = cell.scale ? atTime(cell.scale, time) : 1, { bounds } = this.header;
    const coefficients = this.coefficients(cell.code, time);
    return { bounds, scale, distances: (points, n) => this.interpolated(coefficients, points, n, scale) };
  }

  // Coefficients at all nodes, (z, y, x): every octant is the same sum, with other signs, seen in a mirror.
  coefficients(code, time) {
    const { knots, components, nodes, dims } = this.header, { octant, half } = this;
    const basis = splineBasis(time, knots), kinds = 1 << dims;
    const sums = Array.from({ length: kinds }, () => new Float64Array(octant));
    sums[0].set(this.arrays.mean);
    for (let k = 0; k < components; k++) {
      let weight = 0;
      for (let knot = 0; knot < knots; knot++) if (basis[knot]) weight += basis[knot] * code[knot * components + k];
      if (!weight) continue;
      const sum = sums[this.symmetry[k]], from = this.arrays.components.subarray(k * octant, (k + 1) * octant);
      for (let i = 0; i < octant; i++) sum[i] += weight * from[i];
    }
    const found = new Float32Array(nodes ** dims), deep = dims === 3 ? half : 1;
    for (let low = 0; low < kinds; low++) { // bit by bit: the low side of x, y and z
      const signs = sums.map((_, kind) => bitCount(low & kind) % 2 ? -1 : 1);
      const side = (bit, i) => low & bit ? half - 1 - i : half + i;
      for (let z = 0, i = 0; z < deep; z++) for (let y = 0; y < half; y++) for (let x = 0; x < half; x++, i++) {
        let sum = 0;
        for (let kind = 0; kind < kinds; kind++) sum += signs[kind] * sums[kind][i];
        found[((dims === 3 ? side(4, z) * nodes : 0) + side(2, y)) * nodes + side(1, x)] = sum;
      }
    }
    return found;
  }

  // Volume (of images area) at the size that all cells share, in half extents: nodes near the surface count in part.
  volume(code, time) {
    const width = 2 * this.header.extent / this.header.nodes;
    let sum = 0;
    for (const value of this.coefficients(code, time)) sum += Math.min(Math.max(0.5 - value / width, 0), 1);
    return sum * width ** this.header.dims;
  }

  // Beyond the outermost nodes, the way to them is added.
  interpolated(coefficients, points, n, scale) {
    const { nodes, extent, dims } = this.header, width = 2 * extent / nodes, out = new Float32Array(n);
    const rows = new Int32Array(4 * dims), weights = new Float64Array(4 * dims);
    for (let at = 0; at < n; at++) {
      let beyond = 0;
      for (let axis = 0; axis < dims; axis++) {
        const place = (points[axis * n + at] / (scale * extent) + 1) * (nodes / 2) - 0.5;
        const nearest = Math.min(Math.max(place, 0), nodes - 1), first = Math.min(Math.floor(nearest), nodes - 2);
        const share = nearest - first, rest = 1 - share, k = 4 * axis;
        beyond += (place - nearest) ** 2;
        weights[k] = rest ** 3 / 6;
        weights[k + 1] = (3 * share ** 3 - 6 * share ** 2 + 4) / 6;
        weights[k + 2] = (3 * rest ** 3 - 6 * rest ** 2 + 4) / 6;
        weights[k + 3] = share ** 3 / 6;
        for (let i = 0; i < 4; i++) rows[k + i] = nodes - 1 - Math.abs(nodes - 1 - Math.abs(first + i - 1));
      }
      let sum = 0;
      for (let k = 0; k < (dims === 3 ? 4 : 1); k++) {
        let plane = 0;
        for (let j = 0; j < 4; j++) {
          const row = ((dims === 3 ? rows[8 + k] * nodes : 0) + rows[4 + j]) * nodes;
          plane += weights[4 + j] * (weights[0] * coefficients[row + rows[0]] + weights[1] * coefficients[row + rows[1]]
            + weights[2] * coefficients[row + rows[2]] + weights[3] * coefficients[row + rows[3]]);
        }
        sum += dims === 3 ? weights[8 + k] * plane : plane;
      }
      out[at] = scale * (sum + width * Math.sqrt(beyond));
    }
    return out;
  }
}

function bitCount(bits) {
  let n = 0;
  for (; bits; bits >>= 1) n += bits & 1;
  return n;
}
