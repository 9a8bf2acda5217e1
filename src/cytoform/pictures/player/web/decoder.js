// Decodes the streams described in pictures/player/coding.py and prepares surfaces for the graphics card.

const AFTER = 1, BEFORE = 2, NOTHING = 3, FAR = 4; // a gate's symbol; 0 is a point not met before

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Sequence {
  constructor(data, actor, scene) {
    this.frames = actor.frames;
    this.scene = scene;
    const counts = new Uint32Array(data.slice(0, 12 * actor.frames).buffer);
    this.first = [[0, 0, 0]]; // points, symbols and far references before each frame
    for (let frame = 0; frame < actor.frames; frame++) {
      this.first.push(this.first[frame].map((n, kind) => n + counts[3 * frame + kind]));
    }
    const [points, symbols, far] = this.first[actor.frames];
    let at = counts.byteLength;
    const take = n => data.subarray(at, at += n);
    const takePairs = n => ({ low: take(n), high: take(n) });
    this.symbols = take(symbols);
    this.far = takePairs(far);
    this.axes = [takePairs(points), takePairs(points), takePairs(points)];
    this.errors = actor.errors ? take(points) : null;
    this.paint = actor.paint ? take(points) : null;
  }

  // The surface of a frame; null for an empty frame.
  surface(frame) {
    const [firstPoint, firstSymbol, firstFar] = this.first[frame];
    const [endPoint, endSymbol, endFar] = this.first[frame + 1];
    const n = endPoint - firstPoint;
    if (!n) return null;
    const walk = { n, met: 0, places: new Int32Array(3 * n), levels: new Int8Array(n), paints: new Uint8Array(n), faces: [], gates: [], firstPoint };
    walk.edges = new Edges(n, 3 * (endSymbol - firstSymbol + endFar - firstFar));
    walk.after = new Int32Array(n).fill(-1);
    walk.before = new Int32Array(n).fill(-1);
    let symbol = firstSymbol, far = firstFar, gate = 0;
    const back = () => walk.met - (this.far.low[far] | this.far.high[far++] << 8);
    while (far < endFar) {
      const corner = () => {
        const point = back();
        return point < walk.met ? point : this.meet(walk, walk.met - 1, walk.met - 1, walk.met - 1);
      };
      const a = corner(), b = corner(), c = corner();
      enter(walk, a, b, c);
      for (; gate < walk.gates.length; gate += 3) {
        const u = walk.gates[gate], v = walk.gates[gate + 1];
        if (walk.edges.has(v, u)) continue;
        const said = this.symbols[symbol++];
        if (said === NOTHING) continue;
        const x = said === AFTER ? walk.after[u] : said === BEFORE ? walk.before[v] : said === FAR ? back()
          : this.meet(walk, u, v, walk.gates[gate + 2]);
        enter(walk, v, u, x);
      }
    }
    return this.finished(walk);
  }

  meet(walk, u, v, w) {
    const { places, levels, paints, met } = walk, k = walk.firstPoint + met;
    for (let axis = 0; axis < 3; axis++) {
      const zigzag = this.axes[axis].low[k] | this.axes[axis].high[k] << 8;
      const guess = u < 0 ? 0 : places[3 * u + axis] + places[3 * v + axis] - places[3 * w + axis];
      places[3 * met + axis] = guess + (zigzag >> 1 ^ -(zigzag & 1));
    }
    if (this.errors) levels[met] = (u < 0 ? 0 : levels[u] + levels[v] >> 1) + this.errors[k]; // modulo 256
    if (this.paint) paints[met] = (u < 0 ? 0 : paints[u]) + this.paint[k];
    return walk.met++;
  }

  finished({ n, places, levels, paints, faces: corners }) {
    const faces = n < 65536 ? new Uint16Array(corners) : new Uint32Array(corners);
    const { origin, step, halfExtent } = this.scene;
    const points = new Float32Array(3 * n);
    for (let i = 0; i < 3 * n; i++) points[i] = origin + step * places[i] - halfExtent;
    const normals = normalsOf(points, faces);
    const vertices = new Float32Array(9 * n); // place, normal, hollowness, error from -1 to 1, place in the palette
    const hollows = hollowsOf(points, normals, faces);
    for (let i = 0; i < n; i++) {
      for (let axis = 0; axis < 3; axis++) {
        vertices[9 * i + axis] = points[3 * i + axis];
        vertices[9 * i + 3 + axis] = normals[3 * i + axis];
      }
      vertices[9 * i + 6] = hollows[i];
      vertices[9 * i + 7] = levels[i] / 127;
      vertices[9 * i + 8] = paints[i];
    }
    return { vertices, faces };
  }
}

// The directed edges of the decoded faces, as linked lists by their start point.
class Edges {
  constructor(points, most) {
    this.last = new Int32Array(points); // newest edge of a point, counted from 1; 0 is none
    this.older = new Int32Array(most + 1);
    this.end = new Int32Array(most + 1);
    this.n = 0;
  }

  add(from, to) {
    this.older[++this.n] = this.last[from];
    this.end[this.n] = to;
    this.last[from] = this.n;
  }

  has(from, to) {
    let edge = this.last[from];
    while (edge && this.end[edge] !== to) edge = this.older[edge];
    return edge > 0;
  }
}

function enter(walk, a, b, c) {
  const { edges, gates, after, before } = walk;
  walk.faces.push(a, b, c);
  edges.add(a, b);
  edges.add(b, c);
  edges.add(c, a);
  const leave = (u, v, w) => {
    if (edges.has(v, u)) return;
    after[v] = u;
    before[u] = v;
    gates.push(u, v, w);
  };
  leave(a, b, c);
  leave(b, c, a);
  leave(c, a, b);
}

function normalsOf(points, faces) {
  const normals = new Float32Array(points.length);
  for (let f = 0; f < faces.length; f += 3) {
    const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
    for (let axis = 0; axis < 3; axis++) {
      const i = (axis + 1) % 3, j = (axis + 2) % 3;
      const part = (points[b + i] - points[a + i]) * (points[c + j] - points[a + j])
        - (points[b + j] - points[a + j]) * (points[c + i] - points[a + i]); // weighted by the area
      normals[a + axis] += part;
      normals[b + axis] += part;
      normals[c + axis] += part;
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.sqrt(normals[i] ** 2 + normals[i + 1] ** 2 + normals[i + 2] ** 2) || 1;
    for (let axis = 0; axis < 3; axis++) normals[i + axis] /= length;
  }
  return normals;
}

// Mean slope towards the neighbours of each point, smoothed over its neighbourhood; furrows are drawn darker.
function hollowsOf(points, normals, faces) {
  const n = points.length / 3;
  let values = overEdges(n, faces, (from, to) => {
    let rise = 0, length = 0;
    for (let axis = 0; axis < 3; axis++) {
      const along = points[3 * to + axis] - points[3 * from + axis];
      rise += along * normals[3 * from + axis];
      length += along * along;
    }
    return rise / (Math.sqrt(length) || 1);
  });
  for (let pass = 0; pass < 2; pass++) {
    const kept = values;
    values = overEdges(n, faces, (from, to) => (kept[from] + kept[to]) / 2);
  }
  return values;
}

// The mean over the edges at each point.
function overEdges(n, faces, valueOf) {
  const sums = new Float32Array(n), counts = new Uint8Array(n);
  for (let f = 0; f < faces.length; f++) {
    const from = faces[f], to = faces[f % 3 === 2 ? f - 2 : f + 1];
    sums[from] += valueOf(from, to);
    sums[to] += valueOf(to, from);
    counts[from]++;
    counts[to]++;
  }
  return sums.map((sum, i) => sum / (counts[i] || 1));
}
