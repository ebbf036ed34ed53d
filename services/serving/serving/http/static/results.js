// What a job made, shown by its task's own part of the page, or else as plain files and text.

import { readBytes } from "./api.js";

const PLAIN = { words: { working: "Working", done: "Done." }, show: showPlainly };
const parts = new Map();

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

/** Have a part show a job; its markup takes the place of what was shown before, if that is other. */
export async function showResult(root, part, job, file, frame) {
  if (root.dataset.task !== job.task || part.markup === "") {
    const parsed = new DOMParser().parseFromString(part.markup, "text/html");
    root.replaceChildren(...parsed.body.childNodes);
    root.dataset.task = job.task;
  }
  await part.show(root, job, file, { ...frame, readBytes });
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
