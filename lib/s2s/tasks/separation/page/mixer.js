// Sounds that start at one instant and can be heard in any combination, with a silent video.

const FADE_S = 0.02;
const MOST_APART_S = 0.12;
const ALONE = "mixture";

export class Mixer {
  /** `film` is a muted video that follows; all sounds are `duration` seconds long. */
  constructor(film, duration) {
    this.film = film;
    this.duration = duration;
    this.heard = new Set([ALONE]);
    this.isPlaying = false;
    this.onchange = () => {};
    this.context = new AudioContext();
    this.sounds = new Map();
    this.offset = 0;
    this.startedAt = 0;
    this.film.muted = true;
  }

  /** Add a sound: samples from -1 to 1, and their rate. */
  add(name, { samples, rate }) {
    const buffer = this.context.createBuffer(1, Math.max(1, samples.length), rate);
    buffer.copyToChannel(samples, 0);
    const gain = this.context.createGain();
    gain.gain.value = this.heard.has(name) ? 1 : 0;
    gain.connect(this.context.destination);
    this.sounds.set(name, { buffer, gain, source: null });
  }

  get position() {
    const at = this.isPlaying
      ? this.offset + this.context.currentTime - this.startedAt
      : this.offset;
    return Math.min(Math.max(0, at), this.duration);
  }

  /** Hear a sound, or no more; the recording is heard alone. */
  toggle(name) {
    if (name === ALONE) this.heard = new Set([ALONE]);
    else {
      this.heard.delete(ALONE);
      if (!this.heard.delete(name)) this.heard.add(name);
    }
    for (const [one, { gain }] of this.sounds) {
      gain.gain.setTargetAtTime(this.heard.has(one) ? 1 : 0, this.context.currentTime, FADE_S);
    }
  }

  async play() {
    if (this.isPlaying) return;
    if (this.offset >= this.duration - 0.05) this.offset = 0;
    await this.context.resume();
    const at = this.context.currentTime + 0.05;
    for (const sound of this.sounds.values()) {
      sound.source = this.context.createBufferSource();
      sound.source.buffer = sound.buffer;
      sound.source.connect(sound.gain);
      sound.source.start(at, this.offset);
    }
    this.startedAt = at;
    this.isPlaying = true;
    this.film.currentTime = this.offset;
    this.film.play().catch(() => {}); // sounds alone are better than nothing
    this.#follow();
  }

  pause() {
    if (!this.isPlaying) return;
    this.offset = this.position;
    this.#stop();
    this.onchange();
  }

  seek(seconds) {
    const goesOn = this.isPlaying;
    if (goesOn) this.#stop();
    this.offset = Math.min(Math.max(0, seconds), this.duration);
    this.film.currentTime = this.offset;
    this.onchange();
    if (goesOn) this.play();
  }

  close() {
    this.#stop();
    this.onchange = () => {};
    this.context.close();
  }

  #stop() {
    this.isPlaying = false;
    this.film.pause();
    for (const sound of this.sounds.values()) {
      sound.source?.stop();
      sound.source = null;
    }
  }

  /** The video is where the sound is; at the end everything stops. */
  #follow() {
    if (!this.isPlaying) return;
    const at = this.position;
    // Also where the film is not in sight any more, such as in another tab of the page.
    if (at >= this.duration || !this.film.isConnected) {
      this.pause();
      return;
    }
    if (!this.film.seeking && Math.abs(this.film.currentTime - at) > MOST_APART_S) {
      this.film.currentTime = at;
    }
    this.onchange();
    requestAnimationFrame(() => this.#follow());
  }
}

/** Samples of a 16-bit mono WAV file, and their rate: as they are, not at the rate of a device. */
export function readWav(bytes) {
  const view = new DataView(bytes);
  const name = (at) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (name(at) === "fmt ") rate = view.getUint32(at + 12, true);
    if (name(at) === "data") {
      const length = Math.min(size, bytes.byteLength - at - 8) >> 1;
      const samples = Float32Array.from({ length }, (_, n) => view.getInt16(at + 8 + 2 * n, true) / 32768);
      return { samples, rate };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error("a sound is no WAV file");
}
