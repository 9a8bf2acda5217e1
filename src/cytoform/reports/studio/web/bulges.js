// Thick protrusions at one time, as solids on a body: protrusions/bulges.py, swollen.py and relief.py in JavaScript.

const SIDE = 17, BULGE_PHASES = 9, FARTHEST = 0.25, INT8 = 127; // nodes of a box along a side, and other numbers of a bulge
const SLOPE = 1, SLACK = 0.15, HALVINGS = 8; // of the search for the surface under a box
const STEEPEST = 1; // slope of its heights

const bulgeLayout = dims => layoutOf({ window: 2, root: 2 * dims, axis: 2 * dims, across: dims, size: 1, volume: BULGE_PHASES, moments: 2 });

// The thick protrusions of a cell, from rows of numbers one after the other; `moments` are those of all bulges of the run.
class Bulges extends Rows {
  constructor(rows, dims, moments) {
    super(rows, dims, bulgeLayout(dims));
    this.moments = moments;
  }

  // The solids at a time, a share of the learned movie; `onSurface` moves points to the surface of the body.
  swollenAt(time, onSurface, body) {
    const alive = this.alive(time), roots = onSurface(alive.map(({ row, phase }) => this.between(row, "root", phase)));
    const found = alive.map(({ row, phase }, i) => {
      const { box, values } = this.momentAt(row, phase), size = this.one(row, "size");
      const frame = localFrame(this.between(row, "axis", phase), this.some(row, "across", 0, this.dims));
      return { root: roots[i], frame, box: box.map(place => size * place), values: values.map(value => size * value) };
    });
    reliefsOf(found, body);
    return found.map(laid => {
      dropLoose(laid, body);
      return new Swelling(laid);
    });
  }

  // Box and distances on its nodes: even between moments, those of the nearest one before the first and after the last.
  momentAt(row, phase) {
    const { boxes, phases, values } = this.moments, first = this.one(row, "moments"), last = first + this.one(row, "moments", 1) - 1;
    let low = first;
    while (low < last - 1 && phases[low + 1] < phase) low++;
    const high = Math.min(low + 1, last), share = high > low ? clip((phase - phases[low]) / (phases[high] - phases[low]), 0, 1) : 0;
    const mixed = (from, n) => Float64Array.from({ length: n }, (_, i) => (1 - share) * from[low * n + i] + share * from[high * n + i]);
    const box = mixed(boxes, 6), size = Math.cbrt((box[1] - box[0]) * (box[3] - box[2]) * (box[5] - box[4]));
    return { box, values: mixed(values, SIDE ** 3).map(value => value * (size * FARTHEST / INT8)) };
  }
}

// The point of space at a place of a local frame; rows of the frame are its axes.
const inSpace = ({ root, frame }, place) => root.map((value, axis) => value + place[0] * frame[0][axis] + place[1] * frame[1][axis] + place[2] * frame[2][axis]);

// Places of the nodes along a side of a box.
const nodesOf = (box, side) => Array.from({ length: SIDE }, (_, i) => box[2 * side] + i / (SIDE - 1) * (box[2 * side + 1] - box[2 * side]));

// Distances to a body at a list of points.
function distancesAt(body, points) {
  const found = new Float32Array(3 * points.length);
  points.forEach((point, i) => point.forEach((value, axis) => { found[axis * points.length + i] = value; }));
  return points.length ? body(found, points.length) : found;
}

// Height of the surface of the body over the plane of each box, on the nodes of its last two sides, by halving. Where it is too
// steep the height is above it: the lowest from which no slope is too steep.
function reliefsOf(boxes, body) {
  const nodes = boxes.flatMap(laid => {
    const [first, second] = [1, 2].map(side => nodesOf(laid.box, side));
    const slack = SLACK * (laid.box[3] - laid.box[2] + laid.box[5] - laid.box[4]) / 2;
    return first.flatMap(a => second.map(b => ({ laid, a, b, low: -SLOPE * Math.hypot(a, b) - slack, high: SLOPE * Math.hypot(a, b) + slack })));
  });
  for (let halving = 0; halving < HALVINGS; halving++) {
    const found = distancesAt(body, nodes.map(({ laid, a, b, low, high }) => inSpace(laid, [(low + high) / 2, a, b])));
    nodes.forEach((node, i) => { node[found[i] <= 0 ? "low" : "high"] = (node.low + node.high) / 2; });
  }
  boxes.forEach((laid, i) => {
    const own = nodes.slice(i * SIDE ** 2, (i + 1) * SIDE ** 2), heights = own.map(({ low, high }) => (low + high) / 2);
    laid.relief = Float64Array.from(own, ({ a, b }) => own.reduce(
      (most, other, j) => Math.max(most, heights[j] - STEEPEST * Math.hypot(other.a - a, other.b - b)), -Infinity));
  });
}

// Turn pieces that do not reach into the body outside out.
function dropLoose(laid, body) {
  const { values, relief } = laid, sides = [0, 1, 2].map(side => nodesOf(laid.box, side)), pieces = piecesOf(values);
  const own = [...pieces.keys()].filter(node => pieces[node]);
  const found = distancesAt(body, own.map(node => {
    const on = node % SIDE ** 2;
    return inSpace(laid, [sides[0][Math.floor(node / SIDE ** 2)] + relief[on], sides[1][Math.floor(on / SIDE)], sides[2][on % SIDE]]);
  }));
  const rooted = new Set(own.filter((_, i) => found[i] <= 0).map(node => pieces[node]));
  for (const node of own) if (!rooted.has(pieces[node])) values[node] = -values[node];
}

// The number of the piece of each node inside, counted from 1; nodes of a piece are neighbours by faces.
function piecesOf(values) {
  const pieces = new Uint16Array(values.length), steps = [SIDE ** 2, SIDE, 1];
  let n = 0;
  for (let start = 0; start < values.length; start++) {
    if (values[start] >= 0 || pieces[start]) continue;
    const open = [start];
    pieces[start] = ++n;
    while (open.length) {
      const node = open.pop();
      for (const step of steps) for (const way of [-1, 1]) {
        const place = Math.floor(node / step) % SIDE + way, other = node + way * step;
        if (place < 0 || place >= SIDE || values[other] >= 0 || pieces[other]) continue;
        pieces[other] = n;
        open.push(other);
      }
    }
  }
  return pieces;
}

// Distances on the nodes of a box that is turned, moved, and laid on the surface of a body.
class Swelling {
  constructor({ root, frame, box, values, relief }) {
    Object.assign(this, { root, frame, box, values, relief });
    const heights = [box[0] + Math.min(...relief), box[1] + Math.max(...relief)];
    const corners = heights.flatMap(up => [2, 3].flatMap(a => [4, 5].map(b => inSpace(this, [up, box[a], box[b]]))));
    [this.low, this.high] = [Math.min, Math.max].map(of => root.map((_, axis) => of(...corners.map(corner => corner[axis]))));
    this.boxes = [[this.low, this.high]];
  }

  moved(offset) { return new Swelling({ ...this, root: this.root.map((value, axis) => value + offset[axis]) }); }

  // Beyond the box, the distance at its nearest place and the way there.
  distance(point) {
    const { root, frame, box, values, relief } = this, local = [0, 0, 0], cell = [0, 0, 0], share = [0, 0, 0];
    for (let side = 0; side < 3; side++) for (let axis = 0; axis < 3; axis++) local[side] += (point[axis] - root[axis]) * frame[side][axis];
    const place = side => {
      const low = box[2 * side], nearest = clip(local[side], low, box[2 * side + 1]), at = (nearest - low) / (box[2 * side + 1] - low) * (SIDE - 1);
      cell[side] = Math.min(Math.floor(at), SIDE - 2);
      share[side] = at - cell[side];
      return local[side] - nearest;
    };
    const a = place(1), b = place(2), under = cell[1] * SIDE + cell[2];
    const across = (of, at) => (1 - share[1]) * ((1 - share[2]) * of[at] + share[2] * of[at + 1]) + share[1] * ((1 - share[2]) * of[at + SIDE] + share[2] * of[at + SIDE + 1]);
    local[0] -= across(relief, under);
    const up = place(0), at = cell[0] * SIDE ** 2 + under;
    return (1 - share[0]) * across(values, at) + share[0] * across(values, at + SIDE ** 2) + Math.sqrt(up * up + a * a + b * b);
  }
}
