// Views of a clip: a card, a pair, and the window with its player.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name.startsWith("data-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const chip = (clip) => make("span", { className: `chip ${clip.split}` }, clip.split || plainName(clip.reason));
const labelsOf = (clip) => clip.labels.join(", ") || "no label";
const told = (clip, name) => (clip[name] == null ? null : `${clip[name].toFixed(FIGURES[name][2])} ${FIGURES[name][1]}`.trim());
const fileOf = (clip) => clip.key && data.bucket && !data.bucket.startsWith("https:")
  ? data.bucket.split("/").map(encodeURIComponent).join("/") + clip.key.split("/").map(encodeURIComponent).join("/") : "";
const picture = (text, alt) => make("img", { src: `data:image/jpeg;base64,${text}`, alt });
const player = (source, clip) => make("video", { src: source, controls: true, playsInline: true, preload: "metadata", "aria-label": labelsOf(clip) });
const embedded = (clip) => (data.players[clip.id] ? `data:video/${clip.key.endsWith(".webm") ? "webm" : "mp4"};base64,${data.players[clip.id]}` : "");

let fromBucket = false;
function still(clip) {
  const box = make("span", { className: "still" });
  const thumbnail = data.thumbnails[clip.id];
  if (thumbnail) box.append(picture(thumbnail, ""));
  else if (fromBucket && fileOf(clip)) {
    const video = make("video", { src: `${fileOf(clip)}#t=${(clip.at ?? 0) + (clip.length ?? 2) / 2}`, muted: true, preload: "metadata", tabIndex: -1, "aria-hidden": "true" });
    video.addEventListener("error", () => video.replaceWith("not there"));
    box.append(video);
  } else box.append(clip.key ? "no picture here" : "no file");
  return box;
}

function card(clip, list, figures = ["length", "mean"]) {
  const facts = clip.stage ? plainName(clip.stage) : figures.map((name) => told(clip, name)).filter(Boolean).join(", ");
  const button = make("button", { type: "button", className: "card" }, still(clip), make("span", {}, make("strong", {}, clip.labels.length ? labelsOf(clip) : clip.path || clip.id),
    chip(clip), make("span", { className: "soft" }, facts && ` ${facts}`),
    clip.kinds.length ? make("span", { className: "mark" }, ` ${clip.kinds.join(", ")}`) : null));
  button.addEventListener("click", () => show(clip, list));
  return make("li", {}, button);
}

function closeness([, , same, picture, sound, moment]) {
  if (same) return "the same bytes";
  if (sound === null) return "nearly the same; how near is not stored";
  return `picture ${picture}, sound ${sound} of 256 bits differ${moment ? ", around a moment of both" : ""}`;
}

const differ = ([one, other]) => labelsOf(all[one]) !== labelsOf(all[other]);
const contradict = ([one, other]) => all[one].labels.length > 0 && all[other].labels.length > 0 && !all[one].labels.some((label) => all[other].labels.includes(label));
const apart = ([one, other]) => !all[one].stage && !all[other].stage && all[one].split !== all[other].split;
const outside = ([one, other]) => Boolean(all[one].stage || all[other].stage);

function pairOf(pair) {
  const two = [all[pair[0]], all[pair[1]]];
  const text = make("p", {}, closeness(pair));
  if (contradict(pair)) text.append(make("span", { className: "mark" }, ", no label in common: one is wrong"));
  else if (differ(pair)) text.append(make("span", { className: "mark" }, ", labels differ"));
  if (apart(pair)) text.append(make("span", { className: "mark" }, ", in two splits"));
  if (outside(pair)) text.append(make("span", { className: "mark" }, ", one is left out"));
  const cards = make("ul", { className: "cards" }, ...two.map((clip) => card(clip, two)));
  return make("li", { className: "pair" }, text, cards);
}

// The window with a clip: what is known of it, and where to go from there.
const dialog = document.getElementById("clip");
let shownClip = null, shownList = [];

function show(clip, list) {
  [shownClip, shownList] = [clip, list];
  const step = (by) => make("button", { type: "button", disabled: !neighbour(by), onclick: () => go(by) }, by < 0 ? "Previous" : "Next");
  dialog.replaceChildren(
    make("h2", { id: "clip-title", tabIndex: -1 }, labelsOf(clip)), make("p", { className: "soft" }, chip(clip), ` ${clip.id}`),
    make("div", { className: "said" }, step(-1), step(1),
      make("button", { type: "button", onclick: (event) => copy(clip.id, event.target) }, "Copy the id"),
      make("button", { type: "button", onclick: () => dialog.close() }, "Close")),
    clip.message ? make("p", {}, clip.message) : "", ...media(clip), facts(clip), ...twins(clip));
  if (!dialog.open) dialog.showModal();
  // Not the player: the arrows go from clip to clip.
  dialog.firstElementChild.focus();
  dialog.scrollTop = 0;
}

const neighbour = (by) => shownList[shownList.indexOf(shownClip) + by];
function go(by) {
  const next = neighbour(by);
  if (next) show(next, shownList);
}

function media(clip) {
  const [strip, spectrogram] = data.strips[clip.id] ?? [];
  const parts = [];
  const source = embedded(clip) || (fileOf(clip) && `${fileOf(clip)}${clip.at ? `#t=${clip.at}` : ""}`);
  if (source) {
    const video = player(source, clip);
    video.addEventListener("error", () => video.replaceWith(make("p", { className: "mark" },
      embedded(clip) ? "This browser cannot play the file." : "The file is not where the bucket’s folder was when this page was written, or cannot be played.")));
    parts.push(video);
  } else if (data.thumbnails[clip.id]) parts.push(picture(data.thumbnails[clip.id], "A frame from the middle of the clip."));
  if (strip) parts.push(picture(strip, "Frames of the clip at equal steps of time."), picture(spectrogram, "Spectrogram: time to the right, pitch upwards, bright is loud."));
  if (clip.key && data.bucket.startsWith("https:")) {
    parts.push(make("p", {}, make("a", { href: data.bucket + clip.key.split("/").map(encodeURIComponent).join("/"), rel: "noreferrer", target: "_blank" }, "Open in Google Cloud Storage")));
  }
  if (!parts.length) parts.push(make("p", { className: "soft" }, clip.key ? "No player of this clip is in the page." : "There is no file of this clip."));
  return parts;
}

function facts(clip) {
  const rows = Object.keys(FIGURES).filter((name) => clip[name] != null && (name !== "fps" || clip.fps)).map((name) => [FIGURES[name][0], told(clip, name)]);
  if (clip.size?.[0]) rows.push(["picture", `${clip.size[0]} × ${clip.size[1]}`]);
  if (clip.fold != null) rows.push(["fold", String(clip.fold)]);
  if (clip.stage) rows.push(["lost in", plainName(clip.stage)], ["reason", plainName(clip.reason)]);
  if (clip.kinds.length) rows.push(["stands out", clip.kinds.join(", ")]);
  if (clip.path) rows.push(["file", clip.path]);
  if (clip.key) rows.push(["in the bucket", clip.key]);
  return make("dl", { className: "facts" }, ...rows.map(([name, value]) => make("div", { className: ["file", "in the bucket"].includes(name) ? "wide" : "" }, make("dt", {}, name), make("dd", {}, value))));
}

function twins(clip) {
  if (!clip.alike) return [];
  const list = [clip, ...clip.alike.slice(0, 8)];
  return [make("h3", {}, clip.alike.length > 8 ? `Like ${clip.alike.length} clips, of which 8:` : "Like:"),
    make("ul", { className: "cards" }, ...list.slice(1).map((twin) => card(twin, list)))];
}

async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}
