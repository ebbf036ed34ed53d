// Classification's part of the page: the video, its classes, and a chart that follows the player.

export const words = { working: "Looking and listening", done: "Done: here is what it shows." };

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 160;
const LEFT = 48;
const BOTTOM = 22;
const SHADES = 5;
let preview = "";

/** The elements of the markup by name; the page may put them aside, out of its root. */
function partsOf(root) {
  const found = new Map([...root.querySelectorAll("[id]")].map((element) => [element.id, element]));
  return (name) => found.get(name);
}

/** Show what a job made: see generation's tab for what is given. */
export async function show(root, job, file) {
  const part = partsOf(root);
  const { classes, over_time: windows, curves } = job.document;
  if (preview) URL.revokeObjectURL(preview);
  preview = file ? URL.createObjectURL(file) : "";
  showVideo(part("shown"), part("unseen"), preview);
  const isTimed = windows.length > 1;
  part("classes").querySelector("tbody").replaceChildren(
    ...classes.map((one, n) => row(one, isTimed && n < SHADES ? n : null)),
  );
  part("timeline").hidden = !isTimed;
  if (isTimed) draw(part("curves"), part("shown"), part("now"), windows, curves);
}

/** What was sent, where this browser plays it; else a sentence. */
function showVideo(video, unseen, url) {
  const show = (isPlayed) => {
    video.hidden = !isPlayed;
    unseen.hidden = !url || isPlayed;
  };
  video.onerror = () => show(false);
  video.onloadedmetadata = () => show(video.videoWidth > 0);
  show(Boolean(url));
  if (url) video.src = url;
  else video.removeAttribute("src");
}

function row({ label, probability }, shade) {
  const line = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = label;
  if (shade !== null) name.prepend(swatch(shade), " ");
  const value = document.createElement("td");
  const meter = document.createElement("meter");
  meter.min = 0;
  meter.max = 1;
  meter.value = probability;
  meter.ariaLabel = label;
  value.append(meter, ` ${(100 * probability).toFixed(1)} %`);
  line.append(name, value);
  return line;
}

/** The line of a class in the chart, as its legend. */
function swatch(shade) {
  const drawn = shape("svg", { width: 28, height: 8, viewBox: "0 0 28 8", "aria-hidden": "true" });
  drawn.append(shape("line", { x1: 0, x2: 28, y1: 4, y2: 4, class: `curve curve-${shade}` }));
  return drawn;
}

function draw(chart, video, now, windows, curves) {
  const middle = (window) => (window.start_s + window.end_s) / 2;
  const first = windows[0].start_s;
  const last = windows.at(-1).end_s;
  const x = (seconds) => LEFT + ((seconds - first) / (last - first)) * (WIDTH - LEFT);
  const y = (chance) => (1 - chance) * (HEIGHT - BOTTOM);
  chart.replaceChildren(...axes(first, last, x, y));
  Object.entries(curves).slice(0, SHADES).forEach(([label, chances], n) => {
    const points = chances.map((chance, at) => `${x(middle(windows[at]))},${y(chance)}`);
    const line = shape("polyline", { points: points.join(" "), class: `curve curve-${n}` });
    line.append(Object.assign(shape("title", {}), { textContent: label }));
    chart.append(line);
  });
  const playhead = shape("line", { y1: 0, y2: HEIGHT - BOTTOM, class: "playhead" });
  chart.append(playhead);
  const follow = () => {
    const at = Math.min(last, Math.max(first, video.currentTime));
    playhead.setAttribute("x1", x(at));
    playhead.setAttribute("x2", x(at));
    now.textContent = said(nearest(windows, at, middle), at);
  };
  follow();
  video.ontimeupdate = follow;
  chart.onclick = (event) => {
    const box = chart.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width) * WIDTH;
    video.currentTime = first + Math.max(0, (share - LEFT) / (WIDTH - LEFT)) * (last - first);
  };
}

function nearest(windows, at, middle) {
  return windows.reduce((best, one) =>
    Math.abs(middle(one) - at) < Math.abs(middle(best) - at) ? one : best,
  );
}

function said({ classes: [{ label, probability }] }, at) {
  return `${at.toFixed(1)} s: ${label}, ${(100 * probability).toFixed(1)} %`;
}

function axes(first, last, x, y) {
  const lines = [0, 0.5, 1].flatMap((chance) => [
    shape("line", { x1: LEFT, x2: WIDTH, y1: y(chance), y2: y(chance), class: "grid" }),
    text(`${100 * chance} %`, 0, Math.max(10, y(chance))),
  ]);
  const seconds = [first, (first + last) / 2, last].map((at, n) =>
    text(`${at.toFixed(1)} s`, [x(at), x(at) - 14, x(at) - 34][n], HEIGHT - 4),
  );
  return [...lines, ...seconds];
}

function text(words, x, y) {
  return Object.assign(shape("text", { x, y, class: "label" }), { textContent: words });
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
