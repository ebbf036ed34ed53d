// Classification's part of the page: the video, its classes, and a chart that follows the player.

export const words = { working: "Looking and listening", done: "Done: here is what it shows." };

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 180;
const TEXT_PX = 12;
const LEFT = 48;
const TOP = 8;
const BOTTOM = 24;
const TICK_PX = 45;
const SHADES = 5;
const INDEPENDENT = "Classes are independent: several may hold at a time. ";
let preview = "";
let watched = null;

/** The elements of the markup by name; the page may put them aside, out of its root. */
function partsOf(root) {
  const found = new Map([...root.querySelectorAll("[id]")].map((element) => [element.id, element]));
  return (name) => found.get(name);
}

/** Show what a job made: see generation's tab for what is given. */
export async function show(root, job, file) {
  const part = partsOf(root);
  const { classes, window_s: windowS, over_time: windows, curves, multi_label: several } = job.document;
  if (preview) URL.revokeObjectURL(preview);
  preview = file ? URL.createObjectURL(file) : "";
  showVideo(part("shown"), part("unseen"), preview);
  const isTimed = windows.length > 1;
  part("classes").querySelector("tbody").replaceChildren(
    ...classes.map((one, n) => row(one, isTimed && n < SHADES ? n : null)),
  );
  part("timeline").hidden = !isTimed;
  part("around").textContent = (several ? INDEPENDENT : "") + around(windowS);
  watched?.disconnect();
  if (isTimed) keepDrawn(part("curves"), part("shown"), part("now"), { windows, curves, several });
}

/** Draw, and again where the width changes: text has the size of other text at any width. */
function keepDrawn(chart, video, now, answer) {
  let width = 0;
  watched = new ResizeObserver(() => {
    if (!chart.clientWidth || chart.clientWidth === width) return;  // none while out of sight
    width = chart.clientWidth;
    draw(chart, width, answer);
    followPlayer(chart, width, video, now, answer);
  });
  watched.observe(chart);
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

/** How exact times are: windows are long, and each stands for its middle. */
const around = (windowS) =>
  `Each instant is judged by the ${windowS} s around it: a class may begin or end up to ` +
  `${windowS / 2} s before or after what is shown.`;

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

/** The seconds that windows cover, and where in a chart of some width they are. */
function scaleOf(windows, width) {
  const [first, last] = [windows[0].start_s, windows.at(-1).end_s];
  const room = width - LEFT;
  return {
    first,
    last,
    x: (seconds) => LEFT + ((seconds - first) / (last - first)) * room,
    y: (chance) => TOP + (1 - chance) * (HEIGHT - TOP - BOTTOM),
    seconds: (x) => Math.min(last, first + (Math.max(0, x - LEFT) / room) * (last - first)),
  };
}

const middle = (window) => (window.start_s + window.end_s) / 2;

function draw(chart, width, { windows, curves }) {
  const scale = scaleOf(windows, width);
  const { first, last, x, y } = scale;
  chart.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  chart.setAttribute("height", HEIGHT);
  chart.replaceChildren(...axes(width, scale));
  Object.entries(curves).slice(0, SHADES).forEach(([label, chances], n) => {
    // A window's answer is that of its middle; the outer ones are all that is known of the ends.
    const places = [[first, chances[0]], ...chances.map((chance, at) => [middle(windows[at]), chance]),
      [last, chances.at(-1)]];
    const points = places.map(([at, chance]) => `${x(at)},${y(chance)}`);
    const line = shape("polyline", { points: points.join(" "), class: `curve curve-${n}` });
    line.append(Object.assign(shape("title", {}), { textContent: label }));
    chart.append(line);
  });
  chart.append(shape("line", { y1: TOP, y2: HEIGHT - BOTTOM, class: "playhead" }));
}

/** The upright line is where the player is; a click in the chart moves the player. */
function followPlayer(chart, width, video, now, { windows, several }) {
  const { first, last, x, seconds } = scaleOf(windows, width);
  const playhead = chart.querySelector(".playhead");
  const follow = () => {
    const at = Math.min(last, Math.max(first, video.currentTime));
    playhead.setAttribute("x1", x(at));
    playhead.setAttribute("x2", x(at));
    now.textContent = said(nearest(windows, at), at, several);
  };
  follow();
  video.ontimeupdate = follow;
  chart.onclick = (event) => {
    video.currentTime = seconds(event.clientX - chart.getBoundingClientRect().left);
  };
}

function nearest(windows, at) {
  return windows.reduce((best, one) =>
    Math.abs(middle(one) - at) < Math.abs(middle(best) - at) ? one : best,
  );
}

/** The class of a window; where classes are independent all above a half, if any is. */
function said({ classes }, at, several) {
  const above = several ? classes.filter(({ probability }) => probability > 0.5) : [];
  const named = above.length ? above : classes.slice(0, 1);
  const words = named.map(({ label, probability }) => `${label}, ${(100 * probability).toFixed(1)} %`);
  return `${at.toFixed(1)} s: ${words.join("; ")}`;
}

function axes(width, { first, last, x, y }) {
  const lines = [0, 0.5, 1].flatMap((chance) => [
    shape("line", { x1: LEFT, x2: width, y1: y(chance), y2: y(chance), class: "grid" }),
    text(`${100 * chance} %`, { x: LEFT - 6, y: y(chance) + TEXT_PX / 3, "text-anchor": "end" }),
  ]);
  const most = Math.max(1, Math.floor((width - LEFT) / TICK_PX));
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300].find((size) => (last - first) / size <= most) ?? 600;
  const ticks = [];
  for (let n = Math.ceil(first / step); n * step <= last + 1e-6; n++) ticks.push(n * step);
  const seconds = ticks.flatMap((at) => [
    shape("line", { x1: x(at), x2: x(at), y1: y(0), y2: y(0) + 4, class: "grid" }),
    text(`${Number(at.toFixed(1))} s`, {
      x: Math.min(x(at), width),
      y: HEIGHT - 6,
      "text-anchor": x(at) > width - 16 ? "end" : "middle",
    }),
  ]);
  return [...lines, ...seconds];
}

function text(words, attributes) {
  return Object.assign(shape("text", { ...attributes, class: "label" }), { textContent: words });
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
