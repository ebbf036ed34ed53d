// Generation's part of the page: the video before and after, and pictures of its sound.

import { decode, drawSpectrogram, drawWaveform, isSilent } from "./drawing.js";

export const words = { working: "Making the sound", done: "Done: your video has sound." };

let preview = "";

/**
 * Show what a job made.
 *
 * `root` has what tab.html holds; `file` is what was sent, where that is at hand; `frame` reads
 * bytes of the server's, says a line, and tells a problem.
 */
export async function show(root, job, file, frame) {
  const part = (name) => root.querySelector(`#${name}`);
  if (preview) URL.revokeObjectURL(preview);
  preview = file ? URL.createObjectURL(file) : "";
  const isPicture = file?.type.startsWith("image/") ?? false;
  place(part("silent"), file && !isPicture ? preview : "");
  place(part("picture"), isPicture ? preview : "");
  part("before").hidden = !file;
  const [made] = job.files;
  const isVideo = made.media_type.startsWith("video/");
  place(part("sounding"), isVideo ? made.url : "");
  place(part("sound"), isVideo ? "" : made.url);
  playTogether(part("silent"), part("sounding"));
  part("pictures").removeAttribute("data-drawn");
  try {
    const samples = await decode(await frame.readBytes(made.url));
    if (isSilent(samples)) {
      frame.say("Done, but hardly to be heard: nothing seems to move that would sound.");
    }
    drawWaveform(part("waveform"), samples);
    drawSpectrogram(part("spectrogram"), samples);
    part("pictures").hidden = false;
    part("pictures").dataset.drawn = "yes";
  } catch (error) {
    part("pictures").hidden = true;
    frame.tell(`The sound cannot be drawn: ${error.message}`);
  }
}

function place(element, url) {
  element.hidden = !url;
  if (url) element.src = url;
  else element.removeAttribute("src");
}

/** The silent video follows the sounding one. */
function playTogether(silent, sounding) {
  const follow = () => {
    if (Math.abs(silent.currentTime - sounding.currentTime) > 0.1) {
      silent.currentTime = sounding.currentTime;
    }
  };
  sounding.onplay = () => {
    follow();
    // A container that only the server can read has no preview: the result plays alone.
    if (silent.src) silent.play().catch(() => {});
  };
  sounding.onpause = () => silent.pause();
  sounding.onseeked = follow;
  sounding.ontimeupdate = follow;
}
