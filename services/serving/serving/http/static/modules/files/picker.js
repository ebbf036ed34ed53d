// Choosing a file: by the button, by dropping it anywhere, from the camera, or the example.

import { Problem, readBlob } from "../api.js";
import { record } from "./camera.js";
import { kindOf, look } from "./pictures.js";
import { clearProblem, showProblem } from "../problems.js";

const $ = (id) => document.getElementById(id);
const UNSEEN = "This browser cannot show it; the server may well read it.";
const seen = new WeakMap();
let recording = null;
let example = "/static/example.mp4";
let withSound = false;
let isExample = false;
let onChoose = () => {};

/** What can be seen of a file, looked at once. */
export function seenOf(file) {
  if (!seen.has(file)) seen.set(file, look(file));
  return seen.get(file);
}

/** Offer a video to try: other tasks want other ones. */
export function offerExample(url) {
  if (url === example) return;
  example = url;
  $("example").querySelector("video").src = `${url}#t=1.5`;
  if (isExample) {
    $("video").value = "";
    showChosen();
  }
}

/** Whether the camera's videos have sound: some tasks need it. */
export function recordSound(wanted) {
  withSound = wanted;
}

/** Take files in; `tell` is told each that is chosen, or undefined, and its kind. */
export function startPicker(tell) {
  onChoose = tell;
  $("video").addEventListener("change", showChosen);
  $("camera").addEventListener("click", useCamera);
  $("example").addEventListener("click", useExample);
  $("camera").hidden = false;
  $("example").hidden = false;
  takeDrops();
  showChosen();  // browsers keep what was chosen over a reload
}

function choose(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  $("video").files = transfer.files;
  showChosen();
  $("submit").focus();
}

async function showChosen() {
  const [file] = $("video").files;
  isExample = false;
  $("chosen").hidden = !file;
  $("drop").classList.toggle("filled", Boolean(file));
  onChoose(file, file && kindOf(file));
  if (!file) return;
  clearProblem();
  $("chosen-name").textContent = file.name;
  $("chosen-about").textContent = sizeOf(file);
  $("chosen-picture").hidden = true;
  const found = await seenOf(file);
  if ($("video").files[0] !== file) return;
  if (!found) {
    $("chosen-about").textContent = `${sizeOf(file)}. ${UNSEEN}`;
    return;
  }
  const picture = $("chosen-picture");
  picture.width = found.canvas.width;
  picture.height = found.canvas.height;
  picture.getContext("2d").drawImage(found.canvas, 0, 0);
  picture.hidden = false;
  if (found.seconds) {
    $("chosen-about").textContent = `${found.seconds.toFixed(1)} s, ${sizeOf(file)}`;
  }
}

/** What is empty or too large is not even sent. */
export function checkSize(file, mostBytes) {
  if (!file.size) throw new Problem(415, "The file is empty. Choose another.", "file");
  if (file.size <= mostBytes) return;
  const megabytes = Math.round(mostBytes / 1e6);
  const text = `The file is too large: at most ${megabytes} MB are accepted. Send a shorter one.`;
  throw new Problem(413, text, "too-large");
}

function sizeOf(file) {
  if (!file.size) return "empty";
  if (file.size < 1e3) return `${file.size} bytes`;
  if (file.size >= 1e6) return `${(file.size / 1e6).toFixed(1)} MB`;
  return `${Math.round(file.size / 1e3)} kB`;
}

/** A file that is dropped beside the box would take the place of the page. */
function takeDrops() {
  const light = (on) => (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", on);
  };
  globalThis.addEventListener("dragover", light(true));
  globalThis.addEventListener("dragleave", light(false));
  globalThis.addEventListener("drop", (event) => {
    light(false)(event);
    if (event.dataTransfer.files.length > 0) choose(event.dataTransfer.files[0]);
  });
}

async function useExample() {
  try {
    choose(new File([await readBlob(example)], "example.mp4", { type: "video/mp4" }));
    isExample = true;
  } catch (error) {
    showProblem(error);
  }
}

async function useCamera() {
  if (recording) {
    recording.stop();
    return;
  }
  clearProblem();
  try {
    recording = await record($("camera-preview"), withSound);
    $("camera").textContent = "Stop recording";
    $("camera-preview").hidden = false;
    $("status").textContent = "Recording: 10 seconds at most.";
    choose(await recording.file);
    $("status").textContent = "Recorded.";
  } catch (error) {
    showProblem({ kind: "file", message: error.message });
  }
  recording = null;
  $("camera").textContent = "Record from the camera";
  $("camera-preview").hidden = true;
}
