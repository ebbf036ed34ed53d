// What a job made, shown by its task's own part of the page, or else as plain files and text.

import { readBytes } from "./api.js";
import { takesOf } from "./history.js";

const $ = (id) => document.getElementById(id);
const PLAIN = { words: { working: "Working", done: "Done." }, show: showPlainly };
const parts = new Map();
const put = new Map();  // what is shown in tabs that are not in sight, by task
let inSight = "";

/** A task's part: its words, and how it shows results. */
export async function partOf(model) {
  if (!model.has_page) return { ...PLAIN, markup: "" };
  if (!parts.has(model.task)) {
    const folder = `/static/tasks/${model.task}`;
    const [code, bytes] = await Promise.all([
      import(`${folder}/tab.js`),
      readBytes(`${folder}/tab.html`),
    ]);
    const markup = new TextDecoder().decode(bytes);
    parts.set(model.task, { words: code.words, show: code.show, markup });
  }
  return parts.get(model.task);
}

/** Turn to a task's results; those of the one before are put aside as they are. */
export function turnTo(task) {
  const root = $("made");
  if (task === inSight) return;
  put.set(inSight, { nodes: [...root.childNodes], of: root.dataset.task });
  const { nodes, of } = put.get(task) ?? { nodes: [], of: "" };
  root.replaceChildren(...nodes);
  root.dataset.task = of;
  inSight = task;
}

/** Have a part show a job; its markup takes the place of what was shown before, if that is other. */
export async function showResult(part, job, file, frame) {
  const root = $("made");
  if (root.dataset.task !== job.task || part.markup === "") {
    const parsed = new DOMParser().parseFromString(part.markup, "text/html");
    root.replaceChildren(...parsed.body.childNodes);
    root.dataset.task = job.task;
  }
  await part.show(root, job, file, { ...frame, readBytes });
}

/** The first player that is visible. */
export const player = () =>
  [...$("made").querySelectorAll("video, audio")].find((element) => element.checkVisibility?.() ?? !element.hidden);

/** The first file has a button; of several, all have links, those of one thing in one line. */
export function showDownloads(job) {
  const [first] = job.files;
  const isOnly = job.files.length === 1;
  $("download").hidden = !first;
  if (first) {
    $("download").href = first.url;
    $("download").download = first.file_name;
    $("download").textContent = `Download ${isOnly ? "the result" : inWords(first.name)}`;
  }
  $("files").hidden = job.files.length < 2;
  $("files").querySelector("summary").textContent = `All ${job.files.length} files`;
  const things = new Map();
  for (const file of job.files) {
    const thing = file.name.replace(/-[^-]+$/, "");
    things.set(thing, [...(things.get(thing) ?? []), file]);
  }
  $("downloads").replaceChildren(...[...things].map(([thing, files]) => lineOf(thing, files)));
}

const inWords = (name) => name.replaceAll("-", " ");

/** A thing, such as a face, and a link to each of its files. */
function lineOf(thing, files) {
  const [item, title] = [document.createElement("li"), document.createElement("b")];
  title.textContent = inWords(thing);
  item.append(title);
  for (const file of files) {
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.file_name;
    link.textContent = inWords(file.name.slice(thing.length)).trim() || file.file_name;
    link.setAttribute("aria-label", `Download ${inWords(file.name)}`);
    item.append(link);
  }
  return item;
}

/** A button for each take of the same file: one hears them in turn, at the same place. */
export function showTakes(url, onChoose) {
  const takes = takesOf(url);
  $("takes").hidden = takes.length < 2;
  $("takes").replaceChildren(
    ...takes.map((take, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      const seed = take.seed === undefined ? "" : ` · seed ${take.seed}`;
      button.textContent = `Take ${index + 1}${seed}`;
      button.setAttribute("aria-pressed", String(take.url === url));
      button.addEventListener("click", () => onChoose(take));
      return button;
    }),
  );
}

/** Files that a browser plays are played; the document is written down. */
function showPlainly(root, job) {
  for (const file of job.files) root.append(figureOf(file));
  if (job.document && Object.keys(job.document).length > 0) {
    const text = document.createElement("pre");
    text.tabIndex = 0;
    text.setAttribute("aria-label", "What was found");
    text.textContent = JSON.stringify(job.document, null, 1);
    root.append(text);
  }
}

function figureOf(file) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = file.name;
  const kind = { video: "video", audio: "audio", image: "img" }[file.media_type.split("/")[0]];
  if (kind) {
    const element = document.createElement(kind);
    element.src = file.url;
    if (kind === "img") element.alt = file.name;
    else element.controls = true;
    element.setAttribute("aria-label", file.name);
    figure.append(element);
  }
  figure.append(caption);
  return figure;
}
