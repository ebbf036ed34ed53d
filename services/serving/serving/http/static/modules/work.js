// The job that is worked on: how far it is, its place in the queue, the time left; and its end.

import { forget, update } from "./history.js";
import { removeJob, watch } from "./api.js";

const $ = (id) => document.getElementById(id);
const TITLE = document.title;
const SOONEST_S = 2;
const LEAST_SHARE = 0.08;
let current = null;

export class CancelledError extends Error {}

/** Whether it is this job that is worked on. */
export const isCurrent = (url) => current?.url === url;

/** Have the card shown while `work`, which is given a signal, goes on; Cancel ends it. */
export async function showWhile(work) {
  current = { controller: new AbortController(), url: "", since: null };
  $("submit").disabled = true;
  $("again").disabled = true;
  try {
    return await work(current.controller.signal);
  } finally {
    current = null;
    $("submit").disabled = false;
    $("again").disabled = false;
    $("progress").hidden = true;
    $("step").textContent = "";
    document.title = TITLE;
  }
}

/** End what is worked on, on the server too. */
export async function cancel() {
  const { url, controller } = current ?? {};
  if (!controller) return;
  controller.abort(new CancelledError("Cancelled."));
  if (!url) return;
  forget(url);
  await removeJob(url);
}

/** Follow a job to its end; it may have been begun before the page was loaded. */
export async function follow(job, signal, words, onState) {
  current.url = job.links.self;
  let state = job.state;
  showWork(job, words);
  const onProgress = (now) => {
    if (now.state !== state) {
      state = now.state;
      update({ ...job, state });
      onState();
    }
    showWork(now, words);
  };
  const done = await watch(job, onProgress, signal);
  update(done);
  return done;
}

function showWork({ state, progress, queue_position: before }, words) {
  if (state === "queued") {
    const places = { 0: "next in the queue", 1: "one job comes before" };
    const place = before === undefined ? "" : `: ${places[before] ?? `${before} jobs come before`}`;
    showStep(`Waiting${place}`, 0);
  } else showStep(words.working, progress);
}

/**
 * Show a step of which `share` is done, or null where that is not known; every quarter of it is
 * announced to screen readers.
 */
export function showStep(text, share) {
  $("progress").hidden = false;
  if (!current.since || $("step").textContent !== text) {
    $("step").textContent = text;
    current.since = { at: performance.now(), share };
  }
  const percent = share === null ? "" : `${Math.round(100 * share)} %`;
  if (share === null) $("bar").removeAttribute("value");
  else $("bar").value = share;
  $("share").textContent = percent;
  $("left").textContent = share === null ? "" : timeLeft(share);
  document.title = `${percent || text} · ${TITLE}`;
  const quarter = Math.floor(4 * share);
  const told = quarter === 0 ? text : `${text}: ${25 * quarter} %`;
  if ($("status").textContent !== told) $("status").textContent = told;
}

/** How long the step goes on at its speed so far; nothing as long as that is a guess. */
function timeLeft(share) {
  const gone = (performance.now() - current.since.at) / 1000;
  const done = share - current.since.share;
  if (gone < SOONEST_S || done < LEAST_SHARE) return "";
  const left = Math.ceil(((1 - share) * gone) / done);
  return left < 60 ? `about ${left} s left` : `about ${Math.ceil(left / 60)} min left`;
}
