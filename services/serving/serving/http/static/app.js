// The page's frame: sends the form, shows how far the job is, and then what its task made.

import { openSession, readJob, readModels, removeJob, send, watch } from "./api.js";
import { record } from "./camera.js";
import { forget, remember, showHistory } from "./history.js";
import { partOf, showResult } from "./results.js";
import { fieldsOf, showTabs } from "./tabs.js";

const $ = (id) => document.getElementById(id);
const form = $("form");
const picker = $("video");
let models = [];
let model = { url: new URL(form.action).pathname, max_upload_bytes: Infinity };
let words = { working: "Working", done: "Done." };
let recording = null;

/** Ask what the server offers and accepts: a file too large is not even sent. */
async function start() {
  const offered = await readModels();
  models = offered.models;
  $("key-form").hidden = !offered.needs_key;
  showTabs($("tabs"), models, useTask);
  refreshHistory();
}

/** Fill the form for a task: for the first of its models, unless another is chosen. */
function useTask(group) {
  const [first] = group;
  $("lead").textContent = first.lead;
  $("file-label").textContent = first.file_label;
  $("submit").textContent = first.action;
  const fields = fieldsOf(first.options);
  $("options").replaceChildren(...fields);
  $("more").hidden = fields.length === 0;
  picker.accept = first.types.map((type) => `.${type}`).join(",");
  $("model").replaceChildren(...group.map(({ id }) => new Option(id, id)));
  $("model").disabled = group.length < 2;
  $("model").onchange = () => useModel(group.find(({ id }) => id === $("model").value));
  $("model-field").hidden = group.length < 2;
  useModel(first);
}

function useModel(chosen) {
  model = chosen;
  const megabytes = Math.round(model.max_upload_bytes / 1e6);
  $("accepted").textContent =
    `${model.types.join(", ")}; up to ${megabytes} MB and ${model.max_duration_s} s`;
  partOf(model).then(
    (part) => { words = part.words; },
    (error) => showProblem(error.message),
  );
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
  showStep(progress === 0 ? "Waiting in the queue" : words.working, progress);
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
    await showJob(done, file);
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
async function showJob(job, file) {
  if (job.state === "failed") {
    showProblem(`${job.problem.title}: ${job.problem.detail}`);
    return;
  }
  const maker = models.find(({ id }) => id === job.model) ?? model;
  const part = await partOf(maker);
  const timing = Object.entries(job.seconds_by_step)
    .map(([step, seconds]) => `${step} ${seconds.toFixed(2)} s`)
    .join(", ");
  const seed = job.options.seed === undefined ? "" : `Seed ${job.options.seed}. `;
  $("timing").textContent = `${seed}${timing}.`;
  $("again").hidden = !file || job.options.seed === undefined;
  showDownloads(job);
  $("status").textContent = part.words.done;
  $("result").hidden = false;
  const frame = { say: (text) => { $("status").textContent = text; }, tell: showProblem };
  const shown = showResult($("made"), part, job, file, frame);
  $("result-title").focus();
  await shown;
}

/** One file has a button; of several, each has a link. */
function showDownloads(job) {
  const [first, ...others] = job.files;
  $("download").hidden = !first;
  if (first) {
    $("download").href = first.url;
    $("download").download = first.file_name;
  }
  $("downloads").replaceChildren(
    ...others.map((file) => {
      const [item, link] = [document.createElement("li"), document.createElement("a")];
      link.href = file.url;
      link.download = file.file_name;
      link.textContent = `Download ${file.name}`;
      item.append(link);
      return item;
    }),
  );
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
    if (job.state === "done" || job.state === "failed") await showJob(job);
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
start().catch((error) => showProblem(error.message));
