// The page's frame: sends the form, shows how far the job is, and then what its task made.

import { problemOf, readJob, readModels, removeJob, send, untilLoaded, watch }
  from "./modules/api.js";
import { allDesks, deskOf, hideResult, leaveMark, refreshMark, say, sight, tell }
  from "./modules/desks.js";
import { acceptedBy, fieldsOf, showFieldsFor } from "./modules/fields.js";
import { dropAll, fileOf, sweep } from "./modules/files/kept.js";
import * as past from "./modules/history.js";
import { askForKey } from "./modules/key.js";
import { kindOf } from "./modules/files/pictures.js";
import { checkSize, offerExample, recordSound, startPicker } from "./modules/files/picker.js";
import { completePicture, noteJob } from "./modules/noted.js";
import { clearProblem, showProblem } from "./modules/problems.js";
import { partOf, player, showDownloads, showResult, showTakes, turnTo } from "./modules/results.js";
import { showSnippets } from "./modules/snippets.js";
import { openTab, showTabs, titleOf } from "./modules/tabs.js";
import * as work from "./modules/work.js";

const $ = (id) => document.getElementById(id);
const form = $("form");
const forms = new Map();  // fields of each model, with what was filled in
let models = [];
let needsKey = false;
let model = { url: new URL(form.action).pathname, max_upload_bytes: Infinity };

/** Ask what the server offers and accepts: a file too large is not even sent. */
async function start() {
  const offered = await readModels();
  models = offered.models;
  needsKey = offered.needs_key;
  askForKey(needsKey, async () => {
    say(sight.task, "The key is known.");
    await resume();
  }, forgetAll);
  showTabs($("tabs"), models, useTask);
  past.forgetExpired();
  sweep();
  refreshHistory();
  untilLoaded(models, () => work.allow(model));
  await resume();
}

async function forgetAll() {
  past.forgetAll();
  await dropAll();
}

/** Turn to a task: its form, what goes on there, what it made. */
function useTask(group) {
  const [first] = group;
  clearProblem();
  turnTo(first.task);
  sight.task = first.task;
  const desk = deskOf(first.task);
  $("lead").textContent = first.lead;
  $("title").textContent = first.title;
  $("title").hidden = !$("tabs").hidden;
  $("file-label").textContent = first.file_label;
  $("submit").textContent = first.action;
  $("video").accept = first.accept;
  $("model").replaceChildren(...group.map(({ id }) => new Option(id, id)));
  $("model").disabled = group.length < 2;
  $("model").onchange = () => useModel(group.find(({ id }) => id === $("model").value));
  $("model-field").hidden = group.length < 2;
  useModel(desk.model ?? first);
  $("model").value = model.id;
  desk.mark = "";
  for (const [name] of allDesks()) refreshMark(name);
  $("status").textContent = desk.said;
  work.lookAt(first.task, first.title);
  $("result").hidden = !desk.shown;
  if (desk.shown) showDesk().catch((error) => tell(first.task, error));
  if (desk.problem) showProblem(desk.problem);
  desk.problem = null;
}

function useModel(chosen) {
  clearProblem();
  model = chosen;
  deskOf(sight.task).model = chosen;
  if (!forms.has(model.id)) forms.set(model.id, fieldsOf(model.options, model.own));
  const fields = forms.get(model.id);
  $("options").replaceChildren(...fields);
  $("more").hidden = fields.length === 0;
  $("note").hidden = !model.note;
  $("note").textContent = model.note;
  offerExample(model.example);
  recordSound(model.needs_sound);
  $("accepted").textContent = acceptedBy(model);
  work.allow(model);
  const [file] = $("video").files;
  useFile(file, file && kindOf(file));
}

function useFile(_file, kind) {
  showFieldsFor(kind, $("options"));
  showSnippets(model, needsKey);
}

async function submit(event) {
  event.preventDefault();
  await make($("video").files[0], new FormData(form));
}

/** Send a file, wait for what is made of it, and show that: in the tab where it was asked for. */
async function make(file, fields) {
  const mine = sight.task;
  clearProblem();
  hideResult(mine);
  say(mine, "");
  try {
    checkSize(file, model.max_upload_bytes);
    const done = await work.workOn(mine, async (signal) => {
      work.showStep(mine, "Sending", 0);
      $("progress").scrollIntoView({ block: "nearest" });
      const { url } = models.find(({ id }) => id === fields.get("model")) ?? model;
      const sending = (share) => showSending(mine, share);
      const job = await send(url, fields, sending, signal);
      noteJob(job, file, refreshHistory);
      return followed(mine, job, signal);
    });
    await present(mine, done);
  } catch (error) {
    tell(mine, error);
  }
  refreshHistory();
}

/** All that is sent is looked at before there is a job: how far that is, nobody tells. */
function showSending(mine, share) {
  if (share < 1) work.showStep(mine, "Sending", share);
  else work.showStep(mine, "Looking at the file", null);
}

/** Follow a job to its end. */
async function followed(mine, job, signal) {
  const { words } = await partOf(makerOf(job));
  const done = await work.follow(mine, job, signal, words, refreshHistory);
  refreshHistory();
  completePicture(done, refreshHistory);
  return done;
}

const makerOf = (job) => models.find(({ id }) => id === job.model) ?? { has_page: false };
const isOffered = (name) => models.some((offered) => offered.task === name);

/** Go on with what was not finished when the page was left: of each task, the newest is shown. */
async function resume() {
  const open = past.readHistory().filter(({ state }) => state === "queued" || state === "running");
  if (open.length > 0 && !location.hash) openTab(open[0].task);
  for (const entry of open) {
    const mine = isOffered(entry.task) ? entry.task : sight.task;
    if (work.isBusy(mine)) await watchQuietly(entry);
    else goOn(mine, entry);
  }
}

async function goOn(mine, { url }) {
  try {
    const done = await work.workOn(mine, async (signal) =>
      followed(mine, await readJob(url), signal));
    await present(mine, done);
  } catch (error) {
    if (error.status === 404) past.forget(url);
    else tell(mine, error);
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

/** Show in its tab what a job made, and the file that it was made of, where that is at hand. */
async function present(mine, job) {
  if (job.state === "failed") throw problemOf(job.problem);
  const { words } = await partOf(makerOf(job));
  const shown = { job, file: await fileOf(job.links.self) };
  Object.assign(deskOf(mine), { shown, isDrawn: false });
  say(mine, job.document?.warning ? "Done, with a warning." : words.done);
  if (mine !== sight.task) {
    leaveMark(mine, "done");
    return;
  }
  await showDesk({ takesFocus: true });
}

/** Show the job of the tab in sight; what was drawn of it before is there still. */
async function showDesk({ takesFocus = false } = {}) {
  const [mine, desk] = [sight.task, deskOf(sight.task)];
  const { job, file } = desk.shown;
  const part = await partOf(makerOf(job));
  if (mine !== sight.task || desk.shown?.job !== job) return;
  const timing = Object.entries(job.seconds_by_step)
    .map(([step, seconds]) => `${step} ${seconds.toFixed(2)} s`)
    .join(", ");
  const seed = job.options.seed === undefined ? "" : `Seed ${job.options.seed}. `;
  $("timing").textContent = `${seed}${timing}.`;
  $("again").hidden = !file || job.options.seed === undefined;
  showDownloads(job);
  showTakes(job.links.self, changeTake);
  $("warning").textContent = job.document?.warning ?? "";
  $("warning").hidden = !job.document?.warning;
  $("result").hidden = false;
  const frame = {
    say: (text) => say(mine, text),
    tell: (text) => tell(mine, { message: text, place: "result" }),
  };
  const drawn = desk.isDrawn ? null : showResult(part, job, file, frame);
  desk.isDrawn = true;
  if (takesFocus) $("result-title").focus();
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
  const { job, file } = deskOf(sight.task).shown;
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
  const actions = { show: showEarlier, play: playEarlier, remove: removeEarlier, titleOf };
  $("history").hidden = past.showHistory($("jobs"), actions) === 0;
}

/** Show a job of the history, in its task's tab. */
async function showEarlier({ url }) {
  clearProblem();
  try {
    const job = await readJob(url);
    past.update(job);
    if (job.task !== sight.task) openTab(job.task);
    await present(sight.task, job);
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
  const worker = work.workerOf(url);
  try {
    if (worker) await work.cancel(worker);
    else await removeJob(url);
  } catch (error) {
    showProblem(error, $("history"));
    return;
  }
  past.forget(url);
  sweep();
  refreshHistory();
  for (const [name, desk] of allDesks()) {
    if (desk.shown?.job.links.self === url) hideResult(name);
  }
  say(sight.task, state === "done" || state === "failed" ? "Removed." : "Cancelled.");
  $("history-title").focus();
}

form.addEventListener("submit", submit);
form.addEventListener("input", () => showSnippets(model, needsKey));
$("again").addEventListener("click", tryAnotherSeed);
$("cancel").addEventListener("click", () => {
  const mine = sight.task;
  work.cancel(mine).catch((error) => tell(mine, error));
});
work.startWork(refreshMark);
startPicker(useFile);
start().catch(showProblem);
