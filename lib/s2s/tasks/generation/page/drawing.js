// Pictures of sound with axes: its waveform, and its spectrogram, both on the scale that is there
// for any sound, so that one that is hardly to be heard is hardly to be seen.

const RATE_HZ = 16000;
const WINDOW = 512;
const TOP_HZ = RATE_HZ / 2;
const FAINTEST = 0.003;
// Levels of a sine at full scale are 0 dB.
const [LOWEST_DB, HIGHEST_DB] = [-100, -10];
const BOTTOM = 18;

/** Pixels left of the pictures, for the axis. */
export const LEFT = 44;

/** Samples of a media file's sound, mono, with their `rate`. */
export async function decode(bytes) {
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  const sound = await context.decodeAudioData(bytes);
  return Object.assign(sound.getChannelData(0), { rate: RATE_HZ });
}

const peakOf = (samples) =>
  samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

/** Whether hardly anybody would hear anything. */
export const isSilent = (samples) => peakOf(samples) < FAINTEST;

/** The loudest sample, in words. */
export function peakDb(samples) {
  const peak = peakOf(samples);
  const level = Math.round(20 * Math.log10(peak));
  return peak > 0 ? `${level < 0 ? "\u2212" : ""}${Math.abs(level)} dB` : "zero";
}

/** From full scale down to full scale up. */
export function drawWaveform(canvas, samples) {
  const area = prepare(canvas, 6);
  const { pen, left, top, width, height } = area;
  labels(area, [[1, "1"], [0.5, "0"], [0, "\u22121"]]);
  const ratio = devicePixelRatio;
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--accent") || "blue";
  const columns = Math.round(width * ratio);
  for (let x = 0; x < columns; x++) {
    const part = samples.subarray(
      Math.floor((x * samples.length) / columns),
      Math.floor(((x + 1) * samples.length) / columns),
    );
    let [low, high] = [0, 0];
    for (const sample of part) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    const tall = Math.max(1 / ratio, (height * (high - low)) / 2);
    pen.fillRect(left + x / ratio, top + (height * (1 - high)) / 2, 1 / ratio, tall);
  }
}

/** Time to the right, frequency upwards to 8 kHz, louder is lighter. */
export function drawSpectrogram(canvas, samples) {
  const area = prepare(canvas, BOTTOM);
  const { pen, left, top } = area;
  const [width, height] = [area.width, area.height].map((size) =>
    Math.max(1, Math.round(size * devicePixelRatio)),
  );
  const image = pen.createImageData(width, height);
  for (let x = 0; x < width; x++) {
    const middle = (x * samples.length) / width;
    const column = levels(samples, Math.round(middle - WINDOW / 2));
    for (let y = 0; y < height; y++) {
      const bin = Math.floor(((height - 1 - y) * column.length) / height);
      const share = (column[bin] - LOWEST_DB) / (HIGHEST_DB - LOWEST_DB);
      image.data.set(colour(Math.min(1, Math.max(0, share))), 4 * (y * width + x));
    }
  }
  pen.putImageData(image, Math.round(left * devicePixelRatio), Math.round(top * devicePixelRatio));
  labels(area, [0, 2, 4, 6, 8].map((khz) => [(1000 * khz) / TOP_HZ, khz === 8 ? "8 kHz" : `${khz}`]));
  times(area, samples.length / samples.rate);
}

/** A clean canvas as sharp as the screen, and where on it, in CSS pixels, the picture is. */
function prepare(canvas, bottom) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.font = "12px system-ui, sans-serif";
  pen.strokeStyle = pen.fillStyle = getComputedStyle(canvas).color;
  const top = 6;
  return { pen, left: LEFT, top, width: Math.max(1, width - LEFT), height: height - top - bottom };
}

/** What the heights, as shares from the bottom, mean. */
function labels({ pen, left, top, height }, marks) {
  pen.fillStyle = pen.strokeStyle;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [share, text] of marks) {
    const y = top + height * (1 - share);
    pen.fillRect(left - 4, y - 0.5, 4, 1);
    pen.fillText(text, left - 7, y);
  }
}

/** Seconds below: as many as there is room for. */
function times({ pen, left, top, width, height }, seconds) {
  const most = width / 60;
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60].find((size) => seconds / size <= most) ?? 120;
  pen.fillStyle = pen.strokeStyle;
  pen.textBaseline = "top";
  for (let at = 0; at <= seconds + 1e-6; at += step) {
    const x = left + (width * at) / seconds;
    pen.fillRect(Math.min(x, left + width - 1), top + height, 1, 4);
    const text = `${Number(at.toFixed(1))} s`;
    pen.textAlign = x > left + width - 14 ? "right" : "center";
    pen.fillText(text, Math.min(x, left + width), top + height + 5);
  }
}

/** Levels in dB of the frequencies in a window; a sine at full scale has 0 dB. */
function levels(samples, start) {
  const real = new Float32Array(WINDOW);
  const imaginary = new Float32Array(WINDOW);
  for (let i = 0; i < WINDOW; i++) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW);
    real[i] = hann * (samples[start + i] ?? 0);
  }
  transform(real, imaginary);
  // The window's sum is half its length, and half of a sine is at its negative frequency.
  const full = (WINDOW / 4) ** 2;
  return Array.from({ length: WINDOW / 2 }, (_, k) =>
    10 * Math.log10((real[k] ** 2 + imaginary[k] ** 2) / full + 1e-12),
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
