// The jobs that this browser has asked for, kept by the browser.

import { drawText } from "./files/pictures.js";

const NAME = "jobs";
const MOST = 30;

/** What is kept of each job: the newest first. */
export function readHistory() {
  try {
    const jobs = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(jobs) ? jobs.filter((job) => typeof job?.url === "string") : [];
  } catch {
    return [];
  }
}

function write(jobs) {
  try {
    localStorage.setItem(NAME, JSON.stringify(jobs.slice(0, MOST)));
  } catch {
    // Without storage, the page has no history.
  }
}

const entryOf = (job) => ({
  url: job.links.self,
  task: job.task,
  at: job.created_at,
  seed: job.options.seed,
  state: job.state,
  expires: job.expires_at,
  problem: job.problem?.title,
  plays: job.files?.some(({ media_type: type }) => /^(video|audio)\//.test(type)) ?? false,
});

/** Keep a job; `about` has the file's `name`, its `group` of takes and a small `picture`. */
export const remember = (job, about) => write([{ ...entryOf(job), ...about }, ...readHistory()]);

/** Note what has become of a job. */
export const update = (job) => amend(job.links.self, entryOf(job));

/** Change what is kept of a job. */
export const amend = (url, fields) =>
  write(readHistory().map((entry) => (entry.url === url ? { ...entry, ...fields } : entry)));

export const forget = (url) => write(readHistory().filter((job) => job.url !== url));

export const forgetExpired = () =>
  write(readHistory().filter((job) => !job.expires || Date.parse(job.expires) > Date.now()));

/** The jobs of the same file and task as a job, the oldest first. */
export function takesOf(url) {
  const jobs = readHistory();
  const { group, task } = jobs.find((job) => job.url === url) ?? {};
  if (!group) return [];
  const isTake = (job) => job.group === group && job.task === task && job.state === "done";
  return jobs.filter(isTake).reverse();
}

export const forgetAll = () => write([]);

/** Fill a list with the jobs; `actions` has `show`, `play` and `remove`, told an entry, and what a task's tab is called. */
export function showHistory(list, actions) {
  const jobs = readHistory();
  list.replaceChildren(...jobs.map((job) => row(job, actions)));
  return jobs.length;
}

function row(job, actions) {
  const item = document.createElement("li");
  const name = job.seed === undefined ? job.name : `${job.name}, seed ${job.seed}`;
  const text = document.createElement("span");
  const title = document.createElement("b");
  title.textContent = name;
  const about = document.createElement("span");
  about.className = "hint";
  about.textContent = aboutOf(job, actions.titleOf(job.task));
  text.append(title, about);
  const isFinal = job.state === "done" || job.state === "failed" || !job.state;
  item.append(
    pictureOf(job, name, actions),
    text,
    ...(isFinal ? [button("Show", `Show ${name}`, () => actions.show(job))] : []),
    button(
      isFinal ? "Remove" : "Cancel",
      `${isFinal ? "Remove" : "Cancel"} ${name}`,
      () => actions.remove(job),
    ),
  );
  return item;
}

const STATES = { queued: "waiting", running: "being made", done: "done", failed: "failed" };

function aboutOf(job, title) {
  const parts = title ? [title, time(job.at)] : [time(job.at)];
  if (job.state) parts.unshift(STATES[job.state]);
  if (job.problem) parts.push(job.problem);
  if (job.expires) parts.push(`kept until ${time(job.expires)}`);
  return parts.join(" · ");
}

const time = (text) =>
  new Date(text).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

/** A small picture; of a job that made something to play, the button that plays it. */
function pictureOf(job, name, actions) {
  const picture = job.picture ? drawn(job.picture) : plain(job.name);
  if (job.state !== "done" || !job.plays) {
    picture.classList.add("thumbnail");
    return picture;
  }
  const play = button("", `Play ${name}`, () => actions.play(job));
  play.className = "thumbnail play";
  play.append(picture);
  return play;
}

function drawn(picture) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  drawText(canvas, picture).catch(() => {});
  return canvas;
}

/** Of a file that the browser cannot show: its kind. */
function plain(name) {
  const tile = document.createElement("span");
  tile.className = "unseen";
  tile.setAttribute("aria-hidden", "true");
  tile.textContent = /\.\w{1,4}$/.exec(name)?.[0].slice(1).toUpperCase() ?? "FILE";
  return tile;
}

function button(text, label, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "plain";
  element.textContent = text;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}
