// Pictures of sound: its waveform, and its spectrogram.

const RATE_HZ = 16000;
const WINDOW = 512;
const RANGE_DB = 70;
const FAINTEST = 0.003;

/** Samples of a media file's sound, mono. */
export async function decode(bytes) {
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  const sound = await context.decodeAudioData(bytes);
  return sound.getChannelData(0);
}

/** Whether hardly anybody would hear anything. */
export const isSilent = (samples) =>
  samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) < FAINTEST;

export function drawWaveform(canvas, samples) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = getComputedStyle(canvas).color;
  for (let x = 0; x < width; x++) {
    const part = samples.subarray(
      Math.floor((x * samples.length) / width),
      Math.floor(((x + 1) * samples.length) / width),
    );
    let [low, high] = [0, 0];
    for (const sample of part) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    pen.fillRect(x, (height * (1 - high)) / 2, 1, Math.max(1, (height * (high - low)) / 2));
  }
}

/** Time to the right, frequency upwards to 8 kHz, louder is lighter. */
export function drawSpectrogram(canvas, samples) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  const last = Math.max(0, samples.length - WINDOW);
  const columns = Array.from({ length: width }, (_, x) =>
    levels(samples, Math.round((x * last) / Math.max(1, width - 1))),
  );
  // Of a sound that is all but silent, noise is not shown as if it were loud.
  const loudest = columns.reduce((most, column) => Math.max(most, ...column), 0);
  columns.forEach((column, x) => {
    for (let y = 0; y < height; y++) {
      const bin = Math.floor(((height - 1 - y) * column.length) / height);
      const share = Math.min(1, Math.max(0, 1 + (column[bin] - loudest) / RANGE_DB));
      image.data.set(colour(share), 4 * (y * width + x));
    }
  });
  pen.putImageData(image, 0, 0);
}

/** Levels in dB of the frequencies in a window. */
function levels(samples, start) {
  const real = new Float32Array(WINDOW);
  const imaginary = new Float32Array(WINDOW);
  for (let i = 0; i < WINDOW; i++) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW);
    real[i] = hann * (samples[start + i] ?? 0);
  }
  transform(real, imaginary);
  return Array.from({ length: WINDOW / 2 }, (_, k) =>
    10 * Math.log10(real[k] ** 2 + imaginary[k] ** 2 + 1e-9),
  );
}

/** Cooley and Tukey's Fourier transform, in place. */
function transform(real, imaginary) {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [real[i], real[j]] = [real[j], real[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const angle = (-2 * Math.PI * k) / size;
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      for (let even = k; even < n; even += size) {
        const odd = even + size / 2;
        const re = real[odd] * cosine - imaginary[odd] * sine;
        const im = real[odd] * sine + imaginary[odd] * cosine;
        [real[odd], imaginary[odd]] = [real[even] - re, imaginary[even] - im];
        real[even] += re;
        imaginary[even] += im;
      }
    }
  }
}

/** From black over violet and orange to light yellow. */
function colour(share) {
  return [
    255 * Math.min(1, 1.6 * share),
    255 * Math.max(0, 1.6 * share - 0.6),
    255 * Math.max(0, share < 0.5 ? share : 1.2 * share - 0.55),
    255,
  ];
}
