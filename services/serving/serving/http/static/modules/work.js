// What is worked on: each tab has a job of its own, with its progress, and its end.

import { forget, update } from "./history.js";
import { removeJob, watch } from "./api.js";

const $ = (id) => document.getElementById(id);
const NAME = document.title;
const SOONEST_S = 2;
const LEAST_SHARE = 0.08;
const works = new Map();  // by task
let inSight = "";
let hindrance = "";
let pageTitle = NAME;
let onChange = () => {};

export class CancelledError extends Error {}

/** `tell` is told each task whose work begins or ends. */
export function startWork(tell) {
  onChange = tell;
}

export const isBusy = (task) => works.has(task);

/** The task that works on a job, if any does. */
export const workerOf = (url) => [...works].find(([, work]) => work.url === url)?.[0];

/** Show the work of a task, and no other; `title` names what it makes. */
export function lookAt(task, title) {
  inSight = task;
  pageTitle = `${title} · ${NAME}`;
  paint();
}

/** Whether the model in sight is loaded: till then, nothing can be made. */
export function allow({ ready, not_loaded: reason }) {
  const waits = "The model is being loaded: this may take a minute.";
  hindrance = reason ? `This model could not be loaded: ${reason}` : ready ? "" : waits;
  paint();
}

/** Have `work`, which is given a signal, go on for a task; Cancel ends it. */
export async function workOn(task, work) {
  const mine = { controller: new AbortController(), url: "", text: "", share: 0, since: null };
  works.set(task, mine);
  onChange(task);
  try {
    return await work(mine.controller.signal);
  } finally {
    if (works.get(task) === mine) works.delete(task);
    onChange(task);
    paint();
  }
}

/** End what a task works on, on the server too. */
export async function cancel(task) {
  const { url, controller } = works.get(task) ?? {};
  if (!controller) return;
  controller.abort(new CancelledError("Cancelled."));
  if (!url) return;
  forget(url);
  await removeJob(url);
}

/** Follow a job to its end; it may have been begun before the page was loaded. */
export async function follow(task, job, signal, words, onState) {
  works.get(task).url = job.links.self;
  let state = job.state;
  showWork(task, job, words);
  const onProgress = (now) => {
    if (now.state !== state) {
      state = now.state;
      update({ ...job, state });
      onState();
    }
    showWork(task, now, words);
  };
  const done = await watch(job, onProgress, signal);
  update(done);
  return done;
}

function showWork(task, { state, progress, queue_position: before }, words) {
  if (state === "queued") {
    const places = { 0: "next in the queue", 1: "one job comes before" };
    const place = before === undefined ? "" : `: ${places[before] ?? `${before} jobs come before`}`;
    showStep(task, `Waiting${place}`, 0);
  } else showStep(task, words.working, progress);
}

/** Note a step of which `share` is done, or null where that is not known. */
export function showStep(task, text, share) {
  const work = works.get(task);
  if (!work) return;
  if (!work.since || work.text !== text) work.since = { at: performance.now(), share };
  Object.assign(work, { text, share });
  paint();
}

/** The card of the tab in sight; every quarter of a step is announced to screen readers. */
function paint() {
  const work = works.get(inSight);
  $("submit").disabled = $("again").disabled = Boolean(work || hindrance);
  $("loading").hidden = !hindrance;
  if ($("loading").textContent !== hindrance) $("loading").textContent = hindrance;
  $("progress").hidden = !work?.text;
  document.title = titleOf(work ?? works.values().next().value);
  if (!work?.text) {
    $("step").textContent = "";
    return;
  }
  const { text, share } = work;
  if ($("step").textContent !== text) $("step").textContent = text;
  if (share === null) $("bar").removeAttribute("value");
  else $("bar").value = share;
  $("share").textContent = percentOf(share);
  $("left").textContent = share === null ? "" : timeLeft(work);
  const quarter = Math.floor(4 * share);
  const told = quarter === 0 ? text : `${text}: ${25 * quarter} %`;
  if ($("status").textContent !== told) $("status").textContent = told;
}

const percentOf = (share) => (share === null ? "" : `${Math.round(100 * share)} %`);

/** Of what is worked on, in whichever tab: one looks at other windows meanwhile. */
const titleOf = (work) =>
  work?.text ? `${percentOf(work.share) || work.text} · ${NAME}` : pageTitle;

/** How long the step goes on at its speed so far; nothing as long as that is a guess. */
function timeLeft({ share, since }) {
  const gone = (performance.now() - since.at) / 1000;
  const done = share - since.share;
  if (gone < SOONEST_S || done < LEAST_SHARE) return "";
  const left = Math.ceil(((1 - share) * gone) / done);
  return left < 60 ? `about ${left} s left` : `about ${Math.ceil(left / 60)} min left`;
}
