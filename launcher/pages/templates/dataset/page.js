// The page: its lists, its choices, and its keys.
const byId = (id) => document.getElementById(id);
const AT_A_TIME = 24;

function fill(select, options, named = "all") {
  select.replaceChildren(...(named === null ? [] : [new Option(named, "")]), ...options.map(([value, text]) => new Option(text, value)));
}

const tally = (values) => [...values.reduce((counts, value) => counts.set(value, (counts.get(value) ?? 0) + 1), new Map())];
const known = Object.keys(FIGURES).filter((name) => inside.some((clip) => clip[name]));
const splitOptions = data.splits.map((name) => [name, name]);
const labelOptions = data.labels.map((name) => [name, name]);
const reasons = tally(lost.map((clip) => clip.reason)).sort(([a], [b]) => (a < b ? -1 : 1));

// A list that grows by a button: of cards, or of pairs.
function grow(list, more, items, view, at = AT_A_TIME) {
  let shown = 0;
  const next = () => {
    const first = shown;
    list.append(...items.slice(shown, shown + at).map(view));
    shown = Math.min(items.length, shown + at);
    more.hidden = shown >= items.length;
    if (first) list.children[first]?.querySelector("button")?.focus();
  };
  list.replaceChildren();
  more.onclick = next;
  next();
}

// Clips: search, filters, order; the choice is in the page's address, to be sent and kept.
const FIELDS = ["text", "label", "split", "status", "kind", "figure", "low", "high", "sort"];
const kindCounts = tally(all.flatMap((clip) => clip.kinds));
fill(byId("find-label"), labelOptions);
fill(byId("find-split"), splitOptions);
fill(byId("find-status"), [["ok", `in the data set (${inside.length})`], ...(lost.length ? [[NOT_IN_IT, `not in it (${lost.length})`]] : []),
  ...reasons.map(([name, number]) => [name, `${plainName(name)} (${number})`])]);
fill(byId("find-kind"), [...data.kinds.map(([name]) => name), "alike"].map((name) => [name, kindCounts.find(([kind]) => kind === name)?.[1] ?? 0])
  .map(([name, number]) => [name, `${name} (${number})`]), "all, or not");
fill(byId("find-figure"), known.map((name) => [name, FIGURES[name].slice(0, 2).filter(Boolean).join(", ")]), null);
fill(byId("find-sort"), [["id", "source and time"], ...known.flatMap((name) => [[`${name} up`, `${FIGURES[name][0]}, least first`], [`${name} down`, `${FIGURES[name][0]}, most first`]])], "split");

let chosen = [];
function find(remember = true) {
  const state = Object.fromEntries(FIELDS.map((name) => [name, byId(`find-${name}`).value]));
  chosen = choose(state);
  byId("found").textContent = `${chosen.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} clips`;
  const sorted = state.sort.split(" ")[0], figures = sorted in FIGURES && sorted !== "length" ? ["length", sorted] : undefined;
  grow(byId("cards"), byId("more"), chosen, (clip) => card(clip, chosen, figures));
  if (!remember) return;
  const named = FIELDS.filter((name) => state[name] && (name !== "figure" || state.low || state.high));
  const query = new URLSearchParams(named.map((name) => [name, state[name]]));
  history.replaceState(null, "", named.length ? `#clips?${query}` : location.hash.startsWith("#clips?") ? "#clips" : location.hash || "#");
}

function set(changes) {
  const state = { ...NOTHING_CHOSEN, ...changes };
  for (const name of FIELDS) byId(`find-${name}`).value = state[name];
  if (!byId("find-figure").value) byId("find-figure").selectedIndex = 0;
  find();
}

function open(changes) {
  set(changes);
  byId("clips").scrollIntoView();
  byId("find-text").focus({ preventScroll: true });
}

let waiting = 0;
byId("find").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 120); });
byId("find").addEventListener("submit", (event) => event.preventDefault());
byId("reset").addEventListener("click", () => set({}));
byId("from-bucket")?.addEventListener("change", (event) => { fromBucket = event.target.checked; find(); });
byId("save").addEventListener("click", () => {
  const names = ["id", "split", "labels", "reason", ...known, "path"];
  const cell = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const rows = chosen.map((clip) => names.map((name) => cell(String((name === "labels" ? clip.labels.join("|") : clip[name]) ?? ""))).join(","));
  const text = [names.join(","), ...rows].join("\n") + "\n";
  make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "clips.csv" }).click();
});
for (const button of document.querySelectorAll("[data-label]")) button.addEventListener("click", () => open({ label: button.dataset.label }));
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(byId(button.dataset.copy).textContent, button));

// Histograms.
function spread() {
  const label = byId("spread-label").value, split = byId("spread-split").value;
  const some = inside.filter((clip) => (!label || clip.labels.includes(label)) && (!split || clip.split === split));
  const pick = (figure, low, high) => open({ label, split, figure, low, high, status: "ok", sort: `${figure} up` });
  byId("charts").replaceChildren(...known.filter((name) => name !== "fps").map((name) => count(some, name)).filter(Boolean).map((found) => chart(found, pick)));
}
fill(byId("spread-label"), labelOptions);
fill(byId("spread-split"), splitOptions);
byId("spread-form").addEventListener("change", spread);

// Pairs.
if (byId("pairs")) {
  const whole = data.pairs.filter(([one, other]) => all[one] && all[other]);
  const sorts = { "": whole, contradict: whole.filter(contradict), labels: whole.filter(differ), bytes: whole.filter((pair) => pair[2]), out: whole.filter(outside), apart: whole.filter(apart) };
  fill(byId("alike-which"), [["contradict", `with no label in common (${sorts.contradict.length})`], ["labels", `with other labels (${sorts.labels.length})`], ["bytes", `the same bytes (${sorts.bytes.length})`], ["out", `one is left out (${sorts.out.length})`],
    ["apart", `in two splits (${sorts.apart.length})`]], `all (${whole.length})`);
  const list = () => {
    const some = sorts[byId("alike-which").value];
    byId("alike-found").textContent = `${some.length.toLocaleString("en")} ${some.length === 1 ? "pair" : "pairs"}`;
    grow(byId("pairs"), byId("more-pairs"), some, pairOf, 12);
  };
  byId("alike-which").addEventListener("change", list);
  list();
}

// Outliers, clips that were lost, examples.
const USED = { quiet: "mean", "full scale": "clipped", short: "length", long: "length", still: "motion", dark: "brightness", "few bytes": "kb" };
byId("extremes").replaceChildren(...data.kinds.flatMap(([name, about], n) => {
  const clips = data.extremes[n].map((place) => inside[place]);
  if (!clips.length) return [];
  const number = kindCounts.find(([kind]) => kind === name)?.[1] ?? 0;
  const button = number ? make("button", { type: "button", className: "link", onclick: () => open({ kind: name }) }, `${number} ${number === 1 ? "stands" : "stand"} out`) : "none stands out";
  return [make("h3", {}, `${about[0].toUpperCase()}${about.slice(1)}: `, button),
    make("ul", { className: "cards" }, ...clips.map((clip) => card(clip, clips, [...new Set([USED[name], "length"])])))];
}));
if (byId("lost-cards")) {
  fill(byId("lost-reason"), reasons.map(([name, number]) => [name, `${plainName(name)} (${number})`]));
  const list = () => {
    const reason = byId("lost-reason").value, some = lost.filter((clip) => !reason || clip.reason === reason);
    byId("lost-found").textContent = `${some.length.toLocaleString("en")} ${some.length === 1 ? "clip" : "clips"}`;
    grow(byId("lost-cards"), byId("more-lost"), some, (clip) => card(clip, some), 12);
  };
  byId("lost-reason").addEventListener("change", list);
  list();
}
const examples = data.examples.map((place) => inside[place]);
byId("example-cards").replaceChildren(...examples.map((clip) => {
  const [strip, spectrogram] = data.strips[clip.id];
  const more = make("button", { type: "button", className: "link", onclick: () => show(clip, examples) }, "All about it");
  return make("article", { "aria-label": clip.id }, make("h3", {}, labelsOf(clip)), make("p", { className: "soft" }, chip(clip), ` ${clip.id}`),
    picture(strip, "Frames of the clip at equal steps of time."), picture(spectrogram, "Spectrogram: time to the right, pitch upwards, bright is loud."),
    embedded(clip) ? player(embedded(clip), clip) : null, more);
}));
const players = Object.keys(data.players).length, pictures = Object.keys(data.thumbnails).length;
byId("embedded").textContent = `${pictures} clips have a picture in this page and ${players} a player: examples, near duplicates, outliers and clips that were lost, as many as keep the file below 5 MB. `
  + (data.bucket.startsWith("https:") ? "The others are linked to the bucket." : data.bucket ? "The others are played from the bucket’s folder, where it still lies where it did." : "");

// Keys: "/" searches, arrows go from clip to clip. One sound at a time.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, video");
  if (event.key === "/" && !typing && !dialog.open) { event.preventDefault(); byId("find-text").focus(); }
  if (dialog.open && !typing && event.key === "ArrowRight") go(1);
  if (dialog.open && !typing && event.key === "ArrowLeft") go(-1);
});
dialog.addEventListener("close", () => dialog.replaceChildren());
document.addEventListener("play", (event) => {
  for (const video of document.querySelectorAll("video")) if (video !== event.target) video.pause();
}, true);

spread();
const asked = location.hash.split("?")[1];
if (asked) set({ ...Object.fromEntries(new URLSearchParams(asked)) });
else find(false);
