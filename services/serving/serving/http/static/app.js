// Sends the form, shows how far the job is, and then the video before and after.

import { openSession, readBytes, readJob, readModels, removeJob, send, watch } from "./api.js";
import { record } from "./camera.js";
import { decode, drawSpectrogram, drawWaveform, isSilent } from "./drawing.js";
import { forget, remember, showHistory } from "./history.js";
import { fieldsOf, showTabs } from "./tabs.js";

const $ = (id) => document.getElementById(id);
const form = $("form");
const picker = $("video");
let model = { url: "/v1/generations", max_upload_bytes: Infinity };
let preview = "";
let recording = null;

/** Ask what the server offers and accepts: a file too large is not even sent. */
async function start() {
  const { models, needs_key } = await readModels();
  $("key-form").hidden = !needs_key;
  showTabs($("tabs"), models, useModel);
  refreshHistory();
}

function useModel(chosen) {
  model = chosen;
  $("options").replaceChildren(...fieldsOf(model.options));
  picker.accept = model.types.map((type) => `.${type}`).join(",");
  const megabytes = Math.round(model.max_upload_bytes / 1e6);
  $("accepted").textContent =
    `${model.types.join(", ")}; up to ${megabytes} MB and ${model.max_duration_s} s`;
}

/** Show a step of which `share` is done; every quarter of it is told to who only listens. */
function showStep(text, share) {
  $("progress").hidden = false;
  $("step").textContent = text;
  $("bar").value = share;
  $("share").textContent = `${Math.round(100 * share)} %`;
  const quarter = Math.floor(4 * share);
  const told = quarter === 0 ? text : `${text}: ${25 * quarter} %`;
  if ($("status").textContent !== told) $("status").textContent = told;
}

/** What is shown of a job that is not finished. */
function showWork({ progress }) {
  showStep(progress === 0 ? "Waiting in the queue" : "Making the sound", progress);
}

function showProblem(text) {
  $("status").textContent = "";
  $("problem").textContent = text;
}

async function submit(event) {
  event.preventDefault();
  await make(picker.files[0], new FormData(form));
}

/** Send a file, wait for what is made of it, and show that. */
async function make(file, fields) {
  $("problem").textContent = "";
  $("result").hidden = true;
  if (file.size > model.max_upload_bytes) {
    const megabytes = Math.round(model.max_upload_bytes / 1e6);
    showProblem(`The file is too large: at most ${megabytes} MB are accepted. Send a shorter one.`);
    return;
  }
  $("submit").disabled = true;
  showStep("Sending", 0);
  try {
    const job = await send(model.url, fields, (share) => showStep("Sending", share));
    remember(job, file.name);
    refreshHistory();
    showWork(job);
    const done = await watch(job, showWork);
    showJob(done, file);
  } catch (error) {
    showProblem(error.message);
    if (error.status === 401) $("key-form").hidden = false;
  } finally {
    $("submit").disabled = false;
    $("progress").hidden = true;
    $("step").textContent = "";
  }
}

/** Show what a job made; the file that it was made of, where that is at hand. */
function showJob(job, file) {
  if (job.state === "failed") {
    showProblem(`${job.problem.title}: ${job.problem.detail}`);
    return;
  }
  if (preview) URL.revokeObjectURL(preview);
  preview = file ? URL.createObjectURL(file) : "";
  const isPicture = file?.type.startsWith("image/") ?? false;
  show($("silent"), file && !isPicture ? preview : "");
  show($("picture"), isPicture ? preview : "");
  $("before").hidden = !file;
  const kind = job.result.media_type.split("/")[0];
  show($("sounding"), kind === "video" ? job.links.result : "");
  show($("sound"), kind === "audio" ? job.links.result : "");
  showPictures(job, kind);
  $("download").href = job.links.result;
  $("download").download = job.result.file_name;
  const timing = Object.entries(job.seconds_by_step)
    .map(([step, seconds]) => `${step} ${seconds.toFixed(2)} s`)
    .join(", ");
  const seed = job.options.seed === undefined ? "" : `Seed ${job.options.seed}. `;
  $("timing").textContent = `${seed}${timing}.`;
  $("again").hidden = !file || job.options.seed === undefined;
  $("status").textContent = "Done: your video has sound.";
  $("result").hidden = false;
  $("result-title").focus();
}

function show(element, url) {
  element.hidden = !url;
  if (url) element.src = url;
  else element.removeAttribute("src");
}

/** Draw the sound of a result, or write down a result of another kind. */
async function showPictures(job, kind) {
  $("pictures").hidden = kind !== "video" && kind !== "audio";
  $("text").hidden = !$("pictures").hidden;
  $("pictures").removeAttribute("data-drawn");
  try {
    const bytes = await readBytes(job.links.result);
    if ($("pictures").hidden) {
      $("text").textContent = new TextDecoder().decode(bytes);
      return;
    }
    const samples = await decode(bytes);
    if (isSilent(samples)) {
      $("status").textContent = "Done, but hardly to be heard: nothing seems to move that would sound.";
    }
    drawWaveform($("waveform"), samples);
    drawSpectrogram($("spectrogram"), samples);
    $("pictures").dataset.drawn = "yes";
  } catch (error) {
    $("pictures").hidden = true;
    showProblem(`The sound cannot be drawn: ${error.message}`);
  }
}

async function tryAnotherSeed() {
  const seed = Math.floor(Math.random() * 2 ** 32);
  $("seed").value = seed;
  await make(picker.files[0], new FormData(form));
}

function refreshHistory() {
  const count = showHistory($("jobs"), showEarlier, removeEarlier);
  $("history").hidden = count === 0;
}

async function showEarlier(url, name) {
  $("problem").textContent = "";
  try {
    const job = await readJob(url);
    if (job.state === "done" || job.state === "failed") showJob(job);
    else $("status").textContent = `${name} is ${job.state}.`;
  } catch (error) {
    if (error.status === 404) {
      forget(url);
      refreshHistory();
    }
    showProblem(error.message);
  }
}

async function removeEarlier(url) {
  try {
    await removeJob(url);
  } catch (error) {
    if (error.status !== 404) {
      showProblem(error.message);
      return;
    }
  }
  forget(url);
  refreshHistory();
  $("status").textContent = "Removed.";
  $("history-title").focus();
}

function choose(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  picker.files = transfer.files;
  $("submit").focus();
}

/** A dropped file is as good as a chosen one. */
function takeDrops() {
  const drop = $("drop");
  const light = (on) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", on);
  };
  drop.addEventListener("dragover", light(true));
  drop.addEventListener("dragleave", light(false));
  drop.addEventListener("drop", (event) => {
    light(false)(event);
    if (event.dataTransfer.files.length > 0) choose(event.dataTransfer.files[0]);
  });
}

async function useCamera() {
  if (recording) {
    recording.stop();
    return;
  }
  try {
    recording = await record($("camera-preview"));
    $("camera").textContent = "Stop recording";
    $("camera-preview").hidden = false;
    $("status").textContent = "Recording: 10 seconds at most.";
    choose(await recording.file);
    $("status").textContent = "Recorded.";
  } catch (error) {
    showProblem(error.message);
  }
  recording = null;
  $("camera").textContent = "Record from the camera";
  $("camera-preview").hidden = true;
}

/** The silent video follows the sounding one. */
function playTogether() {
  const [silent, sounding] = [$("silent"), $("sounding")];
  const follow = () => {
    if (Math.abs(silent.currentTime - sounding.currentTime) > 0.1) {
      silent.currentTime = sounding.currentTime;
    }
  };
  sounding.addEventListener("play", () => {
    follow();
    // A container that only the server can read has no preview: the result plays alone.
    if (silent.src) silent.play().catch(() => {});
  });
  sounding.addEventListener("pause", () => silent.pause());
  for (const name of ["seeked", "timeupdate"]) sounding.addEventListener(name, follow);
}

async function useKey(event) {
  event.preventDefault();
  $("problem").textContent = "";
  try {
    await openSession($("key").value);
    $("key").value = "";
    $("key-form").hidden = true;
    $("status").textContent = "The key is known.";
  } catch (error) {
    showProblem(error.message);
  }
}

form.addEventListener("submit", submit);
$("again").addEventListener("click", tryAnotherSeed);
$("camera").addEventListener("click", useCamera);
$("camera").hidden = false;
$("key-form").addEventListener("submit", useKey);
takeDrops();
playTogether();
start().catch((error) => showProblem(error.message));
