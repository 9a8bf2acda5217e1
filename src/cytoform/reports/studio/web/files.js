// Files that the page gives: surfaces as STL and PLY, several files as ZIP.

// Binary STL; points in µm.
function stlOf({ points, faces }) {
  const bytes = new Uint8Array(84 + 50 * faces.length / 3), view = new DataView(bytes.buffer);
  view.setUint32(80, faces.length / 3, true);
  const normals = flatNormals(points, faces);
  for (let f = 0, at = 84; f < faces.length; f += 3, at += 50) {
    for (let axis = 0; axis < 3; axis++) {
      view.setFloat32(at + 4 * axis, normals[f + axis], true);
      for (let corner = 0; corner < 3; corner++) {
        view.setFloat32(at + 12 + 12 * corner + 4 * axis, points[3 * faces[f + corner] + axis], true);
      }
    }
  }
  return bytes;
}

function flatNormals(points, faces) {
  const normals = new Float32Array(faces.length);
  for (let f = 0; f < faces.length; f += 3) {
    const at = (corner, axis) => points[3 * faces[f + corner] + axis % 3];
    const parts = [0, 1, 2].map(axis => (at(1, axis + 1) - at(0, axis + 1)) * (at(2, axis + 2) - at(0, axis + 2))
      - (at(1, axis + 2) - at(0, axis + 2)) * (at(2, axis + 1) - at(0, axis + 1)));
    const length = Math.hypot(...parts) || 1;
    parts.forEach((part, axis) => { normals[f + axis] = part / length; });
  }
  return normals;
}

// Binary PLY; points in µm.
function plyOf({ points, faces }) {
  const head = new TextEncoder().encode("ply\nformat binary_little_endian 1.0\ncomment points in micrometres\n"
    + `element vertex ${points.length / 3}\nproperty float x\nproperty float y\nproperty float z\n`
    + `element face ${faces.length / 3}\nproperty list uchar int vertex_indices\nend_header\n`);
  const bytes = new Uint8Array(head.length + 4 * points.length + 13 * faces.length / 3), view = new DataView(bytes.buffer);
  bytes.set(head);
  let at = head.length;
  for (const value of points) { view.setFloat32(at, value, true); at += 4; }
  for (let f = 0; f < faces.length; f += 3) {
    view.setUint8(at++, 3);
    for (let corner = 0; corner < 3; corner++) { view.setInt32(at, faces[f + corner], true); at += 4; }
  }
  return bytes;
}

const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  for (let bit = 0; bit < 8; bit++) i = i & 1 ? i >>> 1 ^ 0xEDB88320 : i >>> 1;
  return i;
});

function crcOf(bytes) {
  let crc = 0xFFFFFFFF;
  for (const byte of bytes) crc = crc >>> 8 ^ CRC[(crc ^ byte) & 255];
  return ~crc >>> 0;
}

// Files { name, bytes } as a ZIP archive, stored as they are; names in ASCII.
function zipOf(files) {
  const parts = [], directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const letters = new TextEncoder().encode(name), crc = crcOf(bytes);
    const common = view => {
      view.setUint16(0, 20, true);
      view.setUint16(6, 0, true);
      view.setUint16(8, 0x21, true); // 1980-01-01, at midnight: the same files give the same archive
      view.setUint32(10, crc, true);
      view.setUint32(14, bytes.length, true);
      view.setUint32(18, bytes.length, true);
      view.setUint16(22, letters.length, true);
    };
    const local = new DataView(new ArrayBuffer(30)), entry = new DataView(new ArrayBuffer(46));
    local.setUint32(0, 0x04034b50, true);
    common(new DataView(local.buffer, 4));
    entry.setUint32(0, 0x02014b50, true);
    entry.setUint16(4, 20, true);
    common(new DataView(entry.buffer, 6));
    entry.setUint32(42, offset, true);
    parts.push(local.buffer, letters, bytes);
    directory.push(entry.buffer, letters);
    offset += 30 + letters.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0), end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end.buffer], { type: "application/zip" });
}

function save(content, name) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content]));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
