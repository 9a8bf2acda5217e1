// Protrusions at one time, as tubes on a body: protrusions/tubes.py and shapes/tubes.py in JavaScript.

const PHASES = 10, PLACES = 5, ALONG = 6, OVER = 5, STOPS = 41; // numbers of a unit, see protrusions/units.py
const DEPTH_RADII = 2.6, ROOM_RADII = 3;
const NEWTON_STEPS = 3, DIFFERENCE = 2e-3;

const clip = (value, low, high) => Math.min(Math.max(value, low), high);
const lerp = (a, b, share) => a.map((value, i) => (1 - share) * value + share * b[i]);
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

// Where numbers lie in a row, from how many there are of each.
function layoutOf(sizes) {
  const layout = {};
  let width = 0;
  for (const [name, size] of Object.entries(sizes)) {
    layout[name] = width;
    width += size;
  }
  return { ...layout, width };
}

const unitLayout = dims => layoutOf({ parent: 1, window: 2, root: 2 * dims, axis: 2 * dims, across: dims, at: 1, length: 1, growth: PHASES, radii: PLACES,
  angles: (dims - 1) * ALONG * OVER });

// Protrusions of a cell, from rows of numbers one after the other.
class Rows {
  constructor(rows, dims, at) {
    Object.assign(this, { rows, dims, at, n: rows.length / at.width });
  }

  one(row, name, offset = 0) { return this.rows[row * this.at.width + this.at[name] + offset]; }

  some(row, name, first, n) {
    const start = row * this.at.width + this.at[name] + first;
    return Array.from(this.rows.subarray(start, start + n));
  }

  between(row, name, phase) { return lerp(this.some(row, name, 0, this.dims), this.some(row, name, this.dims, this.dims), phase); }

  // The rows that are there at a time, each with the phase of its window.
  alive(time) {
    const found = [];
    for (let row = 0; row < this.n; row++) {
      const birth = this.one(row, "window"), end = this.one(row, "window", 1);
      if (birth < time && time < end) found.push({ row, phase: clip((time - birth) / (end - birth), 0, 1) });
    }
    return found;
  }
}

// Thin protrusions and their branches.
class Units extends Rows {
  constructor(rows, dims) { super(rows, dims, unitLayout(dims)); }

  lengthAt(row, phase) {
    const place = phase * (PHASES - 1), low = clip(Math.floor(place), 0, PHASES - 2), share = place - low;
    return ((1 - share) * this.one(row, "growth", low) + share * this.one(row, "growth", low + 1)) * this.one(row, "length");
  }

  // The tubes at a time, a share of the learned movie; `onSurface` moves points to the surface of the body.
  grownAt(time, onSurface) {
    const alive = this.alive(time), onBody = alive.filter(({ row }) => this.one(row, "parent") < 0);
    const roots = onSurface(onBody.map(({ row, phase }) => this.between(row, "root", phase)));
    const starts = new Map(onBody.map(({ row }, i) => [row, roots[i]])), lines = new Map(), tubes = [];
    for (const { row, phase } of alive) { // parents come first
      const parent = this.one(row, "parent");
      let length = this.lengthAt(row, phase), start, axis;
      if (parent < 0) {
        [start, axis] = [starts.get(row), this.between(row, "axis", phase)];
      } else if (lines.has(parent)) {
        const on = lines.get(parent), at = this.one(row, "at"), room = on.length - at;
        if (room <= 0) continue;
        length *= smoothstep(room / (ROOM_RADII * mean(this.some(row, "radii", 0, PLACES))));
        const place = clip(at / this.one(parent, "length"), 0, 1) * (STOPS - 1);
        [start, axis] = [on.points, on.tangents].map(values => placed(values, place));
      } else continue;
      if (length <= 0) continue;
      const line = this.centreLine(row, phase, start, axis);
      lines.set(row, { ...line, length });
      tubes.push(this.tube(row, line.points, axis, length, parent < 0));
    }
    return tubes;
  }

  // Points and tangents at equal arc lengths up to the largest length.
  centreLine(row, phase, start, axis) {
    const { dims } = this, frame = localFrame(axis, this.some(row, "across", 0, dims)), over = legendre(2 * phase - 1, OVER);
    const step = this.one(row, "length") / (STOPS - 1), tangents = [], points = [start];
    for (let stop = 0; stop < STOPS; stop++) {
      const along = legendre(2 * stop / (STOPS - 1) - 1, ALONG), angles = [];
      for (let angle = 0; angle < dims - 1; angle++) {
        let sum = 0;
        for (let i = 0; i < ALONG; i++) for (let j = 0; j < OVER; j++) sum += this.one(row, "angles", (angle * ALONG + i) * OVER + j) * along[i] * over[j];
        angles.push(sum);
      }
      const size = Math.hypot(...angles), sinc = size ? Math.sin(size) / size : 1;
      const local = [Math.cos(size), ...angles.map(value => sinc * value)];
      tangents.push(start.map((_, i) => local.reduce((sum, value, k) => sum + value * frame[k][i], 0)));
      if (stop) points.push(points[stop - 1].map((value, i) => value + (tangents[stop][i] + tangents[stop - 1][i]) / 2 * step));
    }
    return { points, tangents };
  }

  // The part of a centre line that has grown, ending a radius before its length, since the tip is round.
  tube(row, points, axis, length, below) {
    const longest = this.one(row, "length"), radii = this.some(row, "radii", 0, PLACES), radiusAt = share => placed(radii, clip(share, 0, 1) * (PLACES - 1));
    const grown = Math.max(length - radiusAt(length / longest), 0.1 * length);
    const pieces = Math.max(Math.ceil(grown / longest * (STOPS - 1)), 1), line = [], along = [];
    for (let i = 0; i <= pieces; i++) {
      const share = grown * i / pieces / longest;
      line.push(placed(points, clip(share, 0, 1) * (STOPS - 1)));
      along.push(Math.min(radiusAt(share), Math.max(length, 1e-6)));
    }
    if (below) {
      const depth = DEPTH_RADII * along[0], [first] = line, under = way => first.map((value, i) => value - way * axis[i]);
      line.unshift(under(depth), under(depth / 2));
      along.unshift(along[0], along[0]);
    }
    return new Tube(line, along);
  }
}

// Values at equal places, numbers or points, between two of them.
function placed(values, place) {
  const low = Math.min(Math.floor(place), values.length - 2), share = place - low, a = values[low], b = values[low + 1];
  return a.length ? lerp(a, b, share) : (1 - share) * a + share * b;
}

function smoothstep(value) {
  const share = clip(value, 0, 1);
  return share * share * (3 - 2 * share);
}

// The first Legendre polynomials at x.
function legendre(x, n) {
  const values = [1, x];
  for (let i = 2; i < n; i++) values.push(((2 * i - 1) * x * values[i - 1] - (i - 1) * values[i - 2]) / i);
  return values;
}

// Orthonormal rows: the axis, the part of `across` at right angles to it, and in 3D one at right angles to both.
function localFrame(axis, across) {
  const unit = vector => { const length = Math.max(Math.hypot(...vector), 1e-9); return vector.map(value => value / length); };
  const first = unit(axis), along = dot(across, first), second = unit(across.map((value, i) => value - along * first[i]));
  if (axis.length === 2) return [first, second];
  return [first, second, [0, 1, 2].map(i => first[(i + 1) % 3] * second[(i + 2) % 3] - first[(i + 2) % 3] * second[(i + 1) % 3])];
}

// A chain of round cones: balls along a centre line, and their pairwise hulls.
class Tube {
  constructor(line, radii) {
    Object.assign(this, { line, radii });
    const ends = (sign, of) => line[0].map((_, axis) => of(...line.map((point, i) => point[axis] + sign * radii[i])));
    this.low = ends(-1, Math.min);
    this.high = ends(1, Math.max);
    this.axes = line.slice(1).map((point, i) => point.map((value, axis) => value - line[i][axis]));
    this.places = Float64Array.from(line.flat());
    this.lengths2 = this.axes.map(axis => Math.max(dot(axis, axis), 1e-24));
  }

  moved(offset) { return new Tube(this.line.map(point => point.map((value, axis) => value + offset[axis])), this.radii); }

  // A box around each cone, as its lowest and its highest corner.
  get boxes() {
    return this.axes.map((_, cone) => {
      const radius = Math.max(this.radii[cone], this.radii[cone + 1]), a = this.line[cone], b = this.line[cone + 1];
      return [a.map((value, axis) => Math.min(value, b[axis]) - radius), a.map((value, axis) => Math.max(value, b[axis]) + radius)];
    });
  }

  distance(point) {
    const { line, places, axes, lengths2, radii } = this, dims = point.length, squared = ball => {
      let sum = 0;
      for (let i = 0, at = ball * dims; i < dims; i++, at++) sum += (point[i] - places[at]) ** 2;
      return sum;
    };
    let nearest = 0, least = Infinity, best = Infinity;
    for (let ball = 0; ball < line.length; ball++) {
      const found = squared(ball);
      if (found >= least) continue;
      nearest = ball;
      least = found;
    }
    for (let cone = Math.max(nearest - 2, 0); cone <= Math.min(nearest, axes.length - 1); cone++) {
      let along = 0;
      for (let i = 0; i < dims; i++) along += (point[i] - line[cone][i]) * axes[cone][i];
      best = Math.min(best, toCone(along, squared(cone), lengths2[cone], radii[cone] - radii[cone + 1], radii[cone]));
    }
    return best;
  }
}

// Distance to a round cone from the scalar product with its axis and the squared distance to where the axis starts.
function toCone(along, toStart2, length2, taper, radius) {
  const flank2 = Math.max(length2 - taper ** 2, 0), across2 = Math.max(toStart2 * length2 - along ** 2, 0);
  const share = clip(flank2 > 0 ? (along + Math.sqrt(across2 / Math.max(flank2, 1e-24)) * -taper) / length2 : taper > 0 ? 0 : 1, 0, 1);
  return Math.sqrt(Math.max(toStart2 - share * (2 * along - share * length2), 0)) - (radius - share * taper);
}

// Distance to a union with a fillet along its crease.
function smoothUnion(first, second, width) {
  const nearer = Math.min(first, second), widths = Math.max(width - Math.max(nearer, 0), 1e-12);
  return nearer - Math.max(widths - Math.abs(first - second), 0) ** 2 / (4 * widths);
}
