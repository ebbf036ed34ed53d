// Clips: what the data say, as objects, and which of them are chosen.
const data = JSON.parse(document.getElementById("data").textContent);
const NOT_IN_IT = "not in it";
const FIGURES = {
  length: ["length", "s", 2], mean: ["loudness on average", "dBFS", 1], peak: ["loudest sample", "dBFS", 1],
  kb: ["size of mp4 and wav", "kB", 0], motion: ["motion", "of 255", 0], brightness: ["brightest frame", "of 255", 0],
  clipped: ["samples at full scale", "%", 2], fps: ["frames a second", "", 2],
};
const plainName = (text) => text.replaceAll("_", " ");

function readClips() {
  const columns = data.clips;
  return columns.id.map((id, n) => {
    const folder = data.clips.folders[columns.folder[n]];
    const clip = {
      n, id, labels: columns.labels[n].map((label) => data.labels[label]), split: data.splits[columns.split[n]],
      fold: columns.fold[n] ?? null, path: columns.path[n] ?? "", key: folder.endsWith("/") ? `${folder}${id}.mp4` : folder,
      size: columns.sizes[columns.size[n]], kinds: data.kinds.filter((_, bit) => columns.kinds[n] >> bit & 1).map(([name]) => name),
    };
    for (const name of Object.keys(FIGURES)) clip[name] = columns[name][n];
    return clip;
  });
}

function readLost(first) {
  return data.lost.map(([id, stage, reason, message, labels, key, at, path], n) => (
    { n: first + n, id, labels, stage, reason, message, key, at, path, kinds: [], split: "" }));
}

const inside = readClips();
const lost = readLost(inside.length);
const all = [...inside, ...lost];
for (const clip of all) clip.words = `${clip.id} ${clip.labels.join(" ")} ${clip.path} ${plainName(clip.reason ?? "")}`.toLowerCase();
for (const [one, other] of data.pairs) {
  for (const [clip, twin] of [[all[one], all[other]], [all[other], all[one]]]) {
    if (!clip || !twin) continue;
    (clip.alike ??= []).push(twin);
    if (!clip.kinds.includes("alike")) clip.kinds.push("alike");
  }
}

const NOTHING_CHOSEN = { text: "", label: "", split: "", status: "", kind: "", figure: "length", low: "", high: "", sort: "" };

function choose(state) {
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  const low = state.low === "" ? -Infinity : Number(state.low), high = state.high === "" ? Infinity : Number(state.high);
  const ranged = low > -Infinity || high < Infinity;
  const fits = (clip) =>
    (!state.label || clip.labels.includes(state.label))
    && (!state.split || clip.split === state.split)
    && (!state.status || (state.status === "ok" ? !clip.stage : state.status === NOT_IN_IT ? clip.stage : clip.reason === state.status))
    && (!state.kind || clip.kinds.includes(state.kind))
    && (!ranged || (clip[state.figure] != null && clip[state.figure] >= low && clip[state.figure] <= high))
    && words.every((word) => clip.words.includes(word));
  return order(all.filter(fits), state.sort);
}

function order(clips, sort) {
  const [name, way] = sort.split(" ");
  if (name === "id") return clips.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  if (!(name in FIGURES)) return clips;
  const sign = way === "down" ? -1 : 1;
  // Clips without the figure come last, whichever way.
  return clips.sort((a, b) => ((a[name] == null) - (b[name] == null)) || sign * (a[name] - b[name]) || a.n - b.n);
}
