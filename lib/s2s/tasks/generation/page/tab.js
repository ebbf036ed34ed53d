// Generation's part of the page: the video with its sound, and pictures of that sound to seek in.

import { LEFT, decode, drawSpectrogram, drawWaveform, isSilent, peakDb } from "./drawing.js";

export const words = { working: "Making the sound", done: "Done: your video has sound." };

let preview = "";
let drawn = null;

/** The elements of the markup by name; the page may put them aside, out of its root. */
function partsOf(root) {
  const found = new Map([...root.querySelectorAll("[id]")].map((element) => [element.id, element]));
  return (name) => found.get(name);
}

/**
 * Show what a job made.
 *
 * `root` has what tab.html holds; `file` is what was sent, where that is at hand; `frame` reads
 * bytes of the server's, says a line, and tells a problem.
 */
export async function show(root, job, file, frame) {
  const part = partsOf(root);
  if (preview) URL.revokeObjectURL(preview);
  // Of a picture that browsers do not play, there is one more file, which they do.
  const made = job.files.find(({ name }) => name === "preview") ?? job.files[0];
  part("copy").hidden = made === job.files[0];
  const isVideo = made.media_type.startsWith("video/");
  // A video that was made shows what was sent already: only sound alone is shown with it.
  preview = file && !isVideo ? URL.createObjectURL(file) : "";
  const isPicture = file && /^image\//.test(file.type);
  place(part("silent"), isPicture ? "" : preview);
  place(part("picture"), isPicture ? preview : "");
  place(part("sounding"), isVideo ? made.url : "");
  place(part("sound"), isVideo ? "" : made.url);
  const player = part(isVideo ? "sounding" : "sound");
  playAlong(part("silent"), part("sound"));
  await showSound(part, player, made.url, frame);
}

function place(element, url) {
  element.hidden = !url;
  if (url) element.src = url;
  else element.removeAttribute("src");
}

/** The video that was sent follows the sound that was made for it. */
function playAlong(silent, sound) {
  // A container that only the server can read has no preview: the sound plays alone.
  silent.onerror = () => { silent.hidden = true; };
  silent.onloadedmetadata = () => { silent.hidden = !silent.videoWidth; };
  const follow = () => {
    if (Math.abs(silent.currentTime - sound.currentTime) > 0.1) {
      silent.currentTime = sound.currentTime;
    }
  };
  sound.onplay = () => {
    follow();
    if (silent.src) silent.play().catch(() => {});
  };
  sound.onpause = () => silent.pause();
  sound.onseeked = follow;
  sound.ontimeupdate = follow;
}

async function showSound(part, player, url, frame) {
  const pictures = part("pictures");
  pictures.removeAttribute("data-drawn");
  drawn?.stop();
  const mine = { stop: () => {} };
  drawn = mine;
  try {
    const samples = await decode(await frame.readBytes(url));
    if (drawn !== mine) return;  // another take is shown by now
    if (isSilent(samples)) {
      frame.say("Done, but this take is hardly to be heard. Try another seed.");
    }
    pictures.hidden = false;
    part("peak").textContent = `The loudest is at ${peakDb(samples)} of full scale.`;
    mine.stop = keepDrawn(part, samples);
    followPlayer(part, player, samples);
    pictures.dataset.drawn = "yes";
  } catch (error) {
    if (drawn !== mine) return;
    pictures.hidden = true;
    frame.tell(`The sound cannot be drawn: ${error.message}`);
  }
}

/** Draw, and again where the width or the colours change; gives what ends that. */
function keepDrawn(part, samples) {
  const draw = () => {
    drawWaveform(part("waveform"), samples);
    drawSpectrogram(part("spectrogram"), samples);
  };
  let width = part("waveform").clientWidth;
  const watched = new ResizeObserver(() => {
    const now = part("waveform").clientWidth;
    if (!now || now === width) return;  // none while it is not in sight
    width = now;
    draw();
  });
  const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const scheme of schemes) scheme.addEventListener("change", draw);
  watched.observe(part("waveform"));
  draw();
  return () => {
    watched.disconnect();
    for (const scheme of schemes) scheme.removeEventListener("change", draw);
  };
}

/** The line over the pictures is where the player is; moving it moves the player. */
function followPlayer(part, player, samples) {
  const { seek, playhead } = { seek: part("seek"), playhead: part("playhead") };
  const length = samples.length / samples.rate;
  seek.max = length;
  const move = () => {
    const at = Math.min(player.currentTime, length);
    if (document.activeElement !== seek || !player.paused) seek.value = at;
    seek.ariaValueText = `${at.toFixed(1)} seconds`;
    playhead.style.left = `calc(${LEFT}px + (100% - ${LEFT}px) * ${at / length})`;
    if (!player.paused) requestAnimationFrame(move);
  };
  player.onplaying = move;
  player.onseeking = move;
  seek.onkeydown = (event) => {
    const step = { ArrowRight: 0.1, ArrowLeft: -0.1, ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === " ") player.paused ? player.play().catch(() => {}) : player.pause();
    else if (!step) return;
    else player.currentTime = Math.min(length, Math.max(0, player.currentTime + step));
    event.preventDefault();
  };
  seek.oninput = () => { player.currentTime = Number(seek.value); };
  move();
}
