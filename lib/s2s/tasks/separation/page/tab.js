// Separation's part of the page: every face with its voice, and a player that mixes them in sync.

import { Mixer, readWav } from "./mixer.js";

export const words = {
  working: "Following faces, separating voices",
  done: "Done: for every face, the voice that the model takes for its own.",
};

let mixer = null;

/** The elements of the markup by name; the page may put them aside, out of its root. */
function partsOf(root) {
  const found = new Map([...root.querySelectorAll("[id]")].map((element) => [element.id, element]));
  return (name) => found.get(name);
}

/** Show what a job made: see generation's tab for what is given. */
export async function show(root, job, file, frame) {
  const part = partsOf(root);
  mixer?.close();
  const files = new Map(job.files.map((made) => [made.name, made]));
  part("film").src = files.get("face-1-video").url;
  const mine = new Mixer(part("film"), job.document.duration_s);
  mixer = mine;
  const rows = job.document.faces.map((face, n) => faceRow(face, n, files));
  const mixture = soundRow("mixture", "As recorded", "all that is heard", files);
  const left = `without the faces' voices, ${level(job.document.rest_db)}`;
  const rest = soundRow("rest", "What is left", left, files);
  part("faces").replaceChildren(mixture, ...rows, rest);
  choose(part, mine, [...part("faces").querySelectorAll("button[data-name]")]);
  connect(part, mine);
  const { faces_left_out: leftOut } = job.document;
  part("left-out").hidden = !leftOut;
  part("left-out").textContent =
    leftOut === 1
      ? "One face more was seen than may be followed; its voice is in what is left."
      : `${leftOut} faces more were seen than may be followed; their voices are in what is left.`;
  await load(part, mine, files, frame);
}

/** Read all sounds before anything can be played: they start at one instant. */
async function load(part, mine, files, frame) {
  part("play").disabled = true;
  try {
    const sounds = [...files].filter(([name]) => name.endsWith("-sound"));
    await Promise.all(
      sounds.map(async ([name, made]) => {
        mine.add(name.replace(/-sound$/, ""), readWav(await frame.readBytes(made.url)));
      }),
    );
    part("play").disabled = mixer !== mine;
    part("play").dataset.ready = "yes";
  } catch (error) {
    if (mixer === mine) frame.tell(`The voices cannot be played: ${error.message}`);
  }
}

/** Buttons that say what is heard: the recording alone, or any of the voices together. */
function choose(part, mine, buttons) {
  const show = () => {
    for (const button of buttons) {
      button.ariaPressed = String(mine.heard.has(button.dataset.name));
    }
    const names = buttons
      .filter((button) => mine.heard.has(button.dataset.name))
      .map((button) => button.querySelector("strong").textContent);
    part("heard").textContent = names.length ? `Heard: ${names.join(" + ")}` : "Nothing is chosen.";
  };
  for (const button of buttons) {
    button.onclick = () => {
      mine.toggle(button.dataset.name);
      show();
    };
  }
  show();
}

function connect(part, mine) {
  const seek = part("seek");
  seek.max = mine.duration;
  part("play").textContent = "Play";
  part("play").onclick = () => (mine.isPlaying ? mine.pause() : mine.play());
  seek.oninput = () => mine.seek(Number(seek.value));
  mine.onchange = () => {
    const at = mine.position;
    part("play").textContent = mine.isPlaying ? "Pause" : "Play";
    seek.value = at;
    seek.ariaValueText = `${at.toFixed(1)} seconds`;
    part("clock").textContent = `${clock(at)} / ${clock(mine.duration)}`;
  };
  mine.onchange();
}

const SILENT_LIPS = {
  still: "its lips do not move: silent",
  "hardly moving": "its lips hardly move: silent",
};

function faceRow(face, n, files) {
  const title = `Face ${n + 1}`;
  const spans = face.seen.map(([start, end]) => `${start.toFixed(1)}–${end.toFixed(1)} s`);
  const said = SILENT_LIPS[face.lips] ?? level(face.level_db);
  const row = plainRow(face.name, title, `${said}; seen ${spans.join(", ")}`);
  const picture = document.createElement("img");
  picture.src = files.get(`${face.name}-picture`).url;
  picture.alt = "";
  row.querySelector("button").prepend(picture);
  const links = [
    download(files.get(`${face.name}-sound`), "Voice"),
    download(files.get(`${face.name}-video`), "Video"),
  ];
  for (const link of links) link.ariaLabel = `${link.textContent} of face ${n + 1}`;
  row.append(linksOf(...links));
  return row;
}

/** What is no face's: in a line of its own. */
function soundRow(name, title, about, files) {
  const row = plainRow(name, title, about);
  row.className = "whole";
  const link = download(files.get(`${name}-sound`), "Sound");
  link.ariaLabel = `Sound: ${title}`;
  row.append(linksOf(link));
  return row;
}

function linksOf(...links) {
  const line = document.createElement("span");
  line.className = "links";
  line.append(...links);
  return line;
}

function plainRow(name, title, about) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain voice";
  button.dataset.name = name;
  const words = document.createElement("span");
  const strong = document.createElement("strong");
  strong.textContent = title;
  const hint = document.createElement("span");
  hint.className = "hint";
  hint.textContent = about;
  words.append(strong, hint);
  button.append(words);
  row.append(button);
  return row;
}

function download(made, title) {
  const link = document.createElement("a");
  link.href = made.url;
  link.download = made.file_name;
  link.textContent = title;
  return link;
}

/** How loud a part is against the recording; what is as good as silent is called so. */
function level(db) {
  return db < -60 ? "silent" : `${String(Math.round(db)).replace("-", "−")} dB against the recording`;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
