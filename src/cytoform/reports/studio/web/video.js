// A cell over time as a video: pictures are compressed by the browser (WebCodecs) and written as MP4 or WebM (Matroska).

const CODECS = [
  { codec: "avc1.42001f", container: "MP4", write: mp4Of }, // H.264, which slides and video programs take
  { codec: "vp09.00.31.08", container: "WebM", write: (blocks, duration) => webmOf(blocks, "V_VP9", duration) },
  { codec: "vp8", container: "WebM", write: (blocks, duration) => webmOf(blocks, "V_VP8", duration) },
];
const VIDEO = { side: 720, bits: 6_000_000, margin: 24, keys: 25 }; // every 25th picture stands alone

const videoSettings = codec => ({ codec, width: VIDEO.side, height: VIDEO.side, bitrate: VIDEO.bits });

// Those of the codecs with which the browser compresses.
async function videoCodecs() {
  if (!globalThis.VideoEncoder) return [];
  const support = await Promise.all(CODECS.map(({ codec }) => VideoEncoder.isConfigSupported(videoSettings(codec)).catch(() => ({}))));
  return CODECS.filter((_, i) => support[i].supported);
}

// So many pictures, each shown for `step` milliseconds, as the bytes of a file; `draw(paper, frame)` draws one.
async function videoOf(frames, step, { codec, write }, draw) {
  const canvas = element("canvas", { width: VIDEO.side, height: VIDEO.side }), paper = canvas.getContext("2d", { alpha: false });
  const blocks = [];
  let broken = null, description = null;
  const encoder = new VideoEncoder({
    output: (chunk, { decoderConfig } = {}) => {
      const bytes = new Uint8Array(chunk.byteLength), found = decoderConfig?.description;
      chunk.copyTo(bytes);
      blocks.push({ bytes, key: chunk.type === "key", at: Math.round(chunk.timestamp / 1000) });
      if (found) description = new Uint8Array(found.buffer || found, found.byteOffset || 0, found.byteLength).slice();
    },
    error: fault => { broken = fault; },
  });
  encoder.configure(videoSettings(codec));
  for (let frame = 0; frame < frames && !broken; frame++) {
    draw(paper, frame);
    const picture = new VideoFrame(canvas, { timestamp: 1000 * step * frame, duration: 1000 * step });
    encoder.encode(picture, { keyFrame: frame % VIDEO.keys === 0 });
    picture.close();
    do await new Promise(go => setTimeout(go)); while (encoder.encodeQueueSize > 4);
  }
  if (!broken) await encoder.flush();
  if (broken) throw broken;
  encoder.close();
  return write(blocks, Math.round(frames * step), description);
}

// Blocks { bytes, key, at } of one track, `at` in ms; every key picture begins a cluster.
function webmOf(blocks, codec, duration) {
  const clusters = [];
  for (const block of blocks) {
    if (block.key) clusters.push([block.at]);
    const [start] = clusters.at(-1), head = new Uint8Array([0x81, 0, 0, block.key ? 0x80 : 0]);
    new DataView(head.buffer).setInt16(1, block.at - start);
    clusters.at(-1).push(ebml(0xa3, head, block.bytes));
  }
  const length = new Uint8Array(8);
  new DataView(length.buffer).setFloat64(0, duration);
  const info = ebml(0x1549a966, ebml(0x2ad7b1, wholeNumber(1_000_000)), ebml(0x4489, length), ebml(0x4d80, bytesOf("cytoform")), ebml(0x5741, bytesOf("cytoform")));
  const track = ebml(0xae, ebml(0xd7, wholeNumber(1)), ebml(0x73c5, wholeNumber(1)), ebml(0x83, wholeNumber(1)), ebml(0x86, bytesOf(codec)),
    ebml(0xe0, ebml(0xb0, wholeNumber(VIDEO.side)), ebml(0xba, wholeNumber(VIDEO.side))));
  const head = ebml(0x1a45dfa3, ebml(0x4286, wholeNumber(1)), ebml(0x42f7, wholeNumber(1)), ebml(0x42f2, wholeNumber(4)), ebml(0x42f3, wholeNumber(8)),
    ebml(0x4282, bytesOf("webm")), ebml(0x4287, wholeNumber(4)), ebml(0x4285, wholeNumber(2)));
  const body = clusters.map(([start, ...own]) => ebml(0x1f43b675, ebml(0xe7, wholeNumber(start)), ...own));
  return joinedBytes([head, ebml(0x18538067, info, ebml(0x1654ae6b, track), ...body)]);
}

// An element of EBML (RFC 8794): its name, its size in four bytes, and its content.
function ebml(name, ...content) {
  const size = content.reduce((sum, part) => sum + part.length, 0), head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, 0x10000000 + size);
  return joinedBytes([wholeNumber(name), head, ...content]);
}

const bytesOf = text => new TextEncoder().encode(text);

// A whole number, the highest byte first, without leading zeros.
function wholeNumber(value) {
  const bytes = [];
  do bytes.unshift(value % 256); while ((value = Math.floor(value / 256)));
  return Uint8Array.from(bytes);
}

function joinedBytes(parts) {
  const found = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}

// A surface under the camera of a player, with the name of its cell, its time and a scale bar.
function drawPicture(paper, player, surface, actor, frame) {
  const { side, margin } = VIDEO, radius = player.scene.radius / player.camera.zoom, canvas = element("canvas", { width: side, height: side });
  const model = surface && Stage.shared.upload(surface);
  Stage.shared.draw(model, canvas, { axes: axesOf(player.camera), radius, depth: 2 * player.scene.radius, colour: actor.colour, mode: PLAIN });
  if (model) Stage.shared.remove(model);
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, side, side);
  paper.drawImage(canvas, 0, 0);
  paper.fillStyle = "#0f172a";
  paper.font = "20px system-ui, sans-serif";
  paper.fillText(actor.label, margin, margin + 16, side - 2 * margin);
  paper.fillText(player.when(frame), margin, margin + 44, side - 2 * margin);
  const length = roundLength(0.6 * radius);
  paper.fillRect(margin, side - margin - 4, length * side / (2 * radius), 4);
  paper.fillText(length + " µm", margin, side - margin - 12);
}
