// MP4 (ISO 14496-12) with one track of H.264, whose index comes first.

const TICKS = 1000, UNTURNED = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]; // ticks a second; a matrix
const DPI = 0x480000, DEPTH = 24; // of a picture

const words = (...values) => numberBytes(values, 4);
const halves = (...values) => numberBytes(values, 2);

// Whole numbers of so many bytes each, the highest byte first.
function numberBytes(values, size) {
  const found = new Uint8Array(size * values.length);
  values.forEach((value, i) => { for (let at = 0; at < size; at++) found[size * i + at] = value >>> 8 * (size - 1 - at); });
  return found;
}

// A box: its size, its name of four letters, and its content; a full one has flags as well.
const box = (name, ...content) => joinedBytes([words(8 + content.reduce((sum, part) => sum + part.length, 0)), bytesOf(name), ...content]);
const fullBox = (name, flags, ...content) => box(name, words(flags), ...content);

// Blocks { bytes, key, at } that are shown from `at` on, in ms, until the whole `duration`; `description` is that of the encoder.
function mp4Of(blocks, duration, description) {
  const head = box("ftyp", bytesOf("isom"), words(0x200), bytesOf("isomiso2avc1mp41")), pictures = blocks.map(({ bytes }) => bytes);
  const index = at => box("moov", headerOf(duration), trackOf(blocks, duration, description, at));
  const first = head.length + index(0).length + 8;
  return joinedBytes([head, index(first), box("mdat", ...pictures)]);
}

function headerOf(duration) {
  return fullBox("mvhd", 0, words(0, 0, TICKS, duration, 0x10000), halves(0x100, 0), words(0, 0, ...UNTURNED, 0, 0, 0, 0, 0, 0, 2));
}

function trackOf(blocks, duration, description, first) {
  const { side } = VIDEO, zeros = new Uint8Array(24);
  const about = fullBox("tkhd", 3, words(0, 0, 1, 0, duration, 0, 0), halves(0, 0, 0, 0), words(...UNTURNED, side << 16, side << 16));
  const handler = fullBox("hdlr", 0, words(0), bytesOf("vide"), words(0, 0, 0), bytesOf("cytoform\0"));
  const picture = box("avc1", zeros.subarray(0, 6), halves(1), zeros.subarray(0, 16), halves(side, side), words(DPI, DPI, 0), halves(1),
    new Uint8Array(32), halves(DEPTH, 0xffff), box("avcC", description));
  const ends = [...blocks.slice(1).map(({ at }) => at), duration], keys = blocks.flatMap(({ key }, i) => key ? [i + 1] : []);
  const samples = box("stbl", fullBox("stsd", 0, words(1), picture),
    fullBox("stts", 0, words(blocks.length, ...blocks.flatMap(({ at }, i) => [1, ends[i] - at]))),
    fullBox("stss", 0, words(keys.length, ...keys)), fullBox("stsc", 0, words(1, 1, blocks.length, 1)),
    fullBox("stsz", 0, words(0, blocks.length, ...blocks.map(({ bytes }) => bytes.length))), fullBox("stco", 0, words(1, first)));
  const media = box("minf", fullBox("vmhd", 1, words(0, 0)), box("dinf", fullBox("dref", 0, words(1), fullBox("url ", 1))), samples);
  return box("trak", about, box("mdia", fullBox("mdhd", 0, words(0, 0, TICKS, duration), halves(0x55c4, 0)), handler, media));
}
