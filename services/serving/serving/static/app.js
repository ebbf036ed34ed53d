// Sends the form, shows how far it is, and then the video before and after.

const $ = (id) => document.getElementById(id);
const form = $("form");
const picker = $("video");
const urls = [];
let limits = { max_upload_bytes: Infinity, max_duration_s: Infinity };

/** Say what the server accepts, and remember it: a file too large is not even sent. */
async function readLimits() {
  const answer = await fetch("/v1/models");
  if (!answer.ok) return;
  [limits] = (await answer.json()).models;
  const megabytes = Math.round(limits.max_upload_bytes / 1e6);
  $("accepted").textContent =
    `${limits.types.join(", ")}; up to ${megabytes} MB and ${limits.max_duration_s} s`;
}

/** Show a step: `share` of it is done, or nobody knows how much. */
function showStep(text, share) {
  $("progress").hidden = false;
  if ($("step").textContent !== text) {
    $("step").textContent = text;
    $("status").textContent = text;
  }
  if (share === undefined) $("bar").removeAttribute("value");
  else $("bar").value = share;
}

function showProblem(text) {
  $("status").textContent = "";
  $("problem").textContent = text;
}

/** Forget what the last video left on the page. */
function clear() {
  $("problem").textContent = "";
  $("result").hidden = true;
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
}

function urlOf(blob) {
  const url = URL.createObjectURL(blob);
  urls.push(url);
  return url;
}

/** Send the form. XMLHttpRequest, because fetch does not tell how much has been sent. */
function send(fields) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "blob";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) showStep("Sending", event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => showStep("Making the sound"));
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () =>
      reject(new Error("The server does not answer. Is it running? Try again.")),
    );
    request.send(fields);
  });
}

async function problemOf(request) {
  try {
    const problem = JSON.parse(await request.response.text());
    return `${problem.title}: ${problem.detail}`;
  } catch {
    return `The server answered with status ${request.status}. Try again.`;
  }
}

/** "upload;dur=12.0, mux;dur=80.5" in words. */
function timingOf(header) {
  const steps = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return steps.map(([, step, ms]) => `${step} ${(ms / 1000).toFixed(2)} s`).join(", ");
}

function showResult(request, file) {
  const sounding = urlOf(request.response);
  $("silent").src = urlOf(file);
  $("sounding").src = sounding;
  $("download").href = sounding;
  $("download").download = `${file.name.replace(/\.[^.]*$/, "")}_with_sound.mp4`;
  const seed = request.getResponseHeader("X-S2S-Seed");
  const timing = timingOf(request.getResponseHeader("Server-Timing") ?? "");
  $("timing").textContent = `Seed ${seed}. ${timing}.`;
  $("status").textContent = "Done: your video has sound.";
  $("result").hidden = false;
  $("result-title").focus();
}

async function submit(event) {
  event.preventDefault();
  clear();
  const [file] = picker.files;
  if (file.size > limits.max_upload_bytes) {
    const megabytes = Math.round(limits.max_upload_bytes / 1e6);
    showProblem(`The file is too large: at most ${megabytes} MB are accepted. Send a shorter one.`);
    return;
  }
  $("submit").disabled = true;
  showStep("Sending", 0);
  try {
    const request = await send(new FormData(form));
    if (request.status === 200) showResult(request, file);
    else showProblem(await problemOf(request));
  } catch (error) {
    showProblem(error.message);
  } finally {
    $("submit").disabled = false;
    $("progress").hidden = true;
    $("step").textContent = "";
  }
}

/** A dropped file is as good as a chosen one. */
function takeDrops() {
  const drop = $("drop");
  const light = (on) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", on);
  };
  drop.addEventListener("dragover", light(true));
  drop.addEventListener("dragleave", light(false));
  drop.addEventListener("drop", (event) => {
    light(false)(event);
    if (event.dataTransfer.files.length === 0) return;
    picker.files = event.dataTransfer.files;
    $("submit").focus();
  });
}

/** The silent video follows the sounding one. */
function playTogether() {
  const [silent, sounding] = [$("silent"), $("sounding")];
  const follow = () => {
    silent.currentTime = sounding.currentTime;
  };
  sounding.addEventListener("play", () => {
    follow();
    // A container that only the server can read has no preview: the result plays alone.
    silent.play().catch(() => {});
  });
  sounding.addEventListener("pause", () => silent.pause());
  sounding.addEventListener("seeked", follow);
}

form.addEventListener("submit", submit);
takeDrops();
playTogether();
readLimits();
