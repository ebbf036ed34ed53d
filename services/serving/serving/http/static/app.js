// The page's frame: sends the form, shows how far the job is, and then what its task made.

import { Problem, openSession, problemOf, readJob, readModels, removeJob, send, watch }
  from "./modules/api.js";
import { fieldsOf, showFieldsFor } from "./modules/fields.js";
import * as past from "./modules/history.js";
import { kindOf, textOf } from "./modules/pictures.js";
import { offerExample, recordSound, seenOf, startPicker } from "./modules/picker.js";
import { clearProblem, showProblem } from "./modules/problems.js";
import { partOf, player, showDownloads, showResult, showTakes } from "./modules/results.js";
import { showSnippets } from "./modules/snippets.js";
import { showTabs } from "./modules/tabs.js";
import { CancelledError, cancel, follow, isCurrent, showStep, showWhile } from "./modules/work.js";

const $ = (id) => document.getElementById(id);
const form = $("form");
const SESSION = "session_until";
const SESSION_MS = 7 * 24 * 3600e3;
const groups = new WeakMap();  // what takes of the same file have in common
const files = new Map();       // what jobs of this visit were made of, by their addresses
let models = [];
let needsKey = false;
let model = { url: new URL(form.action).pathname, max_upload_bytes: Infinity };
let shown = null;

/** Ask what the server offers and accepts: a file too large is not even sent. */
async function start() {
  const offered = await readModels();
  models = offered.models;
  needsKey = offered.needs_key;
  $("key-form").hidden = !needsKey || Number(localStorage.getItem(SESSION)) > Date.now();
  showTabs($("tabs"), models, useTask);
  past.forgetExpired();
  refreshHistory();
  await resume();
}

/** Fill the form for a task: for the first of its models, unless another is chosen. */
function useTask(group) {
  const [first] = group;
  clearProblem();
  $("result").hidden = shown?.job.task !== first.task;
  $("status").textContent = "";
  $("lead").textContent = first.lead;
  $("file-label").textContent = first.file_label;
  $("submit").textContent = first.action;
  $("video").accept = first.accept;
  $("model").replaceChildren(...group.map(({ id }) => new Option(id, id)));
  $("model").disabled = group.length < 2;
  $("model").onchange = () => useModel(group.find(({ id }) => id === $("model").value));
  $("model-field").hidden = group.length < 2;
  useModel(first);
}

function useModel(chosen) {
  model = chosen;
  const fields = fieldsOf(model.options, model.own);
  $("options").replaceChildren(...fields);
  $("more").hidden = fields.length === 0;
  const megabytes = Math.round(model.max_upload_bytes / 1e6);
  const types = model.types.filter((type) => type !== "jpg").join(", ");
  offerExample(model.example);
  recordSound(model.needs_sound);
  $("accepted").textContent =
    `${types}; up to ${megabytes}\u00a0MB and ${model.max_duration_s}\u00a0s`;
  const [file] = $("video").files;
  useFile(file, file && kindOf(file));
}

function useFile(_file, kind) {
  showFieldsFor(kind, $("options"));
  refreshSnippets();
}

function refreshSnippets() {
  const filled = [...new FormData(form)].filter(([, value]) => typeof value === "string" && value);
  const isDefault = ([name, value]) => String(model.options?.[name]?.default) === value;
  showSnippets({
    url: model.url,
    name: $("video").files[0]?.name ?? "clip.mp4",
    fields: filled.filter((field) => !isDefault(field)),
    result: filled.find(([name]) => name === "format")?.[1] ?? model.result,
    needsKey,
  });
}

async function submit(event) {
  event.preventDefault();
  await make($("video").files[0], new FormData(form));
}

/** Send a file, wait for what is made of it, and show that. */
async function make(file, fields) {
  clearProblem();
  $("result").hidden = true;
  try {
    if (file.size > model.max_upload_bytes) throw tooLarge();
    await showWhile(async (signal) => {
      showStep("Sending", 0);
      $("progress").scrollIntoView({ block: "nearest" });
      const { url } = models.find(({ id }) => id === fields.get("model")) ?? model;
      const job = await send(url, fields, showSending, signal);
      files.set(job.links.self, file);
      note(job, file);
      await finish(job, signal);
    });
  } catch (error) {
    tell(error);
  }
  refreshHistory();
}

/** All that is sent is looked at before there is a job: how far that is, nobody tells. */
function showSending(share) {
  if (share < 1) showStep("Sending", share);
  else showStep("Looking at the file", null);
}

function tooLarge() {
  const megabytes = Math.round(model.max_upload_bytes / 1e6);
  const text = `The file is too large: at most ${megabytes} MB are accepted. Send a shorter one.`;
  return new Problem(413, text, "too-large");
}

/** Keep a job in the history, with a small picture where the browser can see the file. */
function note(job, file) {
  if (!groups.has(file)) groups.set(file, crypto.getRandomValues(new Uint32Array(2)).join("-"));
  past.remember(job, { name: file.name, group: groups.get(file) });
  refreshHistory();
  seenOf(file).then((seen) => {
    if (seen) past.amend(job.links.self, { picture: textOf(seen.canvas) });
    refreshHistory();
  });
}

/** Follow a job, and show what it made. */
async function finish(job, signal) {
  const { words } = await partOf(makerOf(job));
  const done = await follow(job, signal, words, refreshHistory);
  refreshHistory();
  await showJob(done);
}

const makerOf = (job) => models.find(({ id }) => id === job.model) ?? { has_page: false };

/** Go on with what was not finished when the page was left: the newest is shown. */
async function resume() {
  const open = past.readHistory().filter(({ state }) => state === "queued" || state === "running");
  const [newest, ...others] = open;
  for (const entry of others) await watchQuietly(entry);
  if (!newest) return;
  try {
    await showWhile(async (signal) => finish(await readJob(newest.url), signal));
  } catch (error) {
    if (error.status === 404) past.forget(newest.url);
    else tell(error);
  }
  refreshHistory();
}

async function watchQuietly({ url }) {
  try {
    const job = await readJob(url);
    const never = new AbortController().signal;
    watch(job, () => {}, never).then(past.update, () => past.forget(url)).then(refreshHistory);
  } catch (error) {
    if (error.status === 404) past.forget(url);
  }
}

/** What ended the work, if not its end. */
function tell(error) {
  if (error instanceof CancelledError) $("status").textContent = error.message;
  else if (error.kind === "no-such-job") $("status").textContent = "The job was removed.";
  else showProblem(error);
}

/** Show what a job made, and the file that it was made of, where that is at hand. */
async function showJob(job) {
  if (job.state === "failed") throw problemOf(job.problem);
  const url = job.links.self;
  const file = files.get(url);
  shown = { job, file };
  const part = await partOf(makerOf(job));
  const timing = Object.entries(job.seconds_by_step)
    .map(([step, seconds]) => `${step} ${seconds.toFixed(2)} s`)
    .join(", ");
  const seed = job.options.seed === undefined ? "" : `Seed ${job.options.seed}. `;
  $("timing").textContent = `${seed}${timing}.`;
  $("again").hidden = !file || job.options.seed === undefined;
  showDownloads(job);
  showTakes(url, changeTake);
  $("status").textContent = part.words.done;
  $("result").hidden = false;
  const say = (text) => { $("status").textContent = text; };
  const frame = { say, tell: (text) => showProblem({ message: text }, $("result")) };
  const drawn = showResult(part, job, file, frame);
  $("result-title").focus();
  await drawn;
}

/** Another take goes on where this one was. */
async function changeTake(take) {
  const at = player()?.currentTime ?? 0;
  const plays = player() && !player().paused;
  await showEarlier(take);
  const next = player();
  if (next) next.currentTime = at;
  if (plays) next?.play().catch(() => {});
  $("takes").querySelector("[aria-pressed=true]")?.focus();
}

/** The same file with the same options, whatever is in the form by now. */
async function tryAnotherSeed() {
  const { job, file } = shown;
  const seeds = past.takesOf(job.links.self).map(({ seed }) => seed);
  const fields = new FormData();
  fields.append("video", file);
  if (models.some(({ id }) => id === job.model)) fields.append("model", job.model);
  const seed = (Math.max(job.options.seed, ...seeds) + 1) % 2 ** 32;
  for (const [name, value] of Object.entries({ ...job.options, seed })) {
    if (value !== null) fields.append(name, value);
  }
  await make(file, fields);
}

function refreshHistory() {
  const actions = { show: showEarlier, play: playEarlier, remove: removeEarlier };
  $("history").hidden = past.showHistory($("jobs"), actions) === 0;
}

async function showEarlier({ url }) {
  clearProblem();
  try {
    const job = await readJob(url);
    past.update(job);
    await showJob(job);
  } catch (error) {
    if (error.status === 404) past.forget(url);
    if (error.status === 401) showProblem(error);
    else showProblem(error, $("history"));
  }
  refreshHistory();
}

async function playEarlier(entry) {
  await showEarlier(entry);
  await player()?.play().catch(() => {});
}

async function removeEarlier({ url, state }) {
  try {
    if (isCurrent(url)) await cancel();
    else await removeJob(url);
  } catch (error) {
    showProblem(error, $("history"));
    return;
  }
  past.forget(url);
  refreshHistory();
  if (shown?.job.links.self === url) $("result").hidden = true;
  $("status").textContent = state === "done" || state === "failed" ? "Removed." : "Cancelled.";
  $("history-title").focus();
}

async function useKey(event) {
  event.preventDefault();
  clearProblem();
  try {
    await openSession($("key").value);
  } catch (error) {
    showProblem(error);
    return;
  }
  localStorage.setItem(SESSION, Date.now() + SESSION_MS);
  $("key").value = "";
  $("key-form").hidden = true;
  $("status").textContent = "The key is known.";
  await resume();
}

form.addEventListener("submit", submit);
form.addEventListener("input", refreshSnippets);
$("again").addEventListener("click", tryAnotherSeed);
$("cancel").addEventListener("click", () => cancel().catch(tell));
$("key-form").addEventListener("submit", useKey);
startPicker(useFile);
start().catch(showProblem);
