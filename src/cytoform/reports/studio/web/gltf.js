// A surface as binary glTF 2.0 (GLB), for slides and 3D programs.

const FLOAT = 5126, SHORT = 5123, INT = 5125, VERTICES = 34962, INDICES = 34963; // constants of glTF
const UPRIGHT = [-Math.SQRT1_2, 0, 0, Math.SQRT1_2]; // glTF has y up, cells have z up

// Points in µm: one unit is 1 µm, because programs cut off objects of some millionths of a metre.
function glbOf({ points, faces }, { name, colour }) {
  const normals = normalsOf(points, faces), limits = limitsOf(points);
  for (let i = 0; i < normals.length; i += 3) if (!(normals[i] || normals[i + 1] || normals[i + 2])) normals[i + 2] = 1;
  const arrays = [points, normals, faces], starts = [], n = points.length / 3;
  let size = 0;
  for (const array of arrays) {
    starts.push(size);
    size += align(array.byteLength);
  }
  const view = (i, target) => ({ buffer: 0, byteOffset: starts[i], byteLength: arrays[i].byteLength, target });
  const json = {
    asset: { version: "2.0", generator: "cytoform", extras: { unit: "micrometre" } },
    scene: 0, scenes: [{ nodes: [0] }], nodes: [{ mesh: 0, name, rotation: UPRIGHT }],
    meshes: [{ name, primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2, material: 0 }] }],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [...colour.map(part => part ** 2.2), 1], metallicFactor: 0, roughnessFactor: 0.6 } }],
    accessors: [{ bufferView: 0, componentType: FLOAT, count: n, type: "VEC3", ...limits },
      { bufferView: 1, componentType: FLOAT, count: n, type: "VEC3" },
      { bufferView: 2, componentType: faces.BYTES_PER_ELEMENT === 2 ? SHORT : INT, count: faces.length, type: "SCALAR" }],
    bufferViews: [view(0, VERTICES), view(1, VERTICES), view(2, INDICES)],
    buffers: [{ byteLength: size }],
  };
  const text = new TextEncoder().encode(JSON.stringify(json)), words = align(text.length);
  const bytes = new Uint8Array(28 + words + size).fill(0x20, 20, 20 + words), head = new DataView(bytes.buffer);
  [0x46546c67, 2, bytes.length, words, 0x4e4f534a].forEach((value, i) => head.setUint32(4 * i, value, true)); // glTF, JSON
  bytes.set(text, 20);
  head.setUint32(20 + words, size, true);
  head.setUint32(24 + words, 0x004e4942, true); // BIN
  arrays.forEach((array, i) => bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 28 + words + starts[i]));
  return bytes;
}

function limitsOf(points) {
  const min = [Infinity, Infinity, Infinity], max = [-Infinity, -Infinity, -Infinity];
  points.forEach((value, i) => {
    min[i % 3] = Math.min(min[i % 3], value);
    max[i % 3] = Math.max(max[i % 3], value);
  });
  return { min, max };
}
