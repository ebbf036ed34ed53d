// What the page asks of the server.

export class Problem extends Error {
  /**
   * `kind` is the last part of a problem document's type, `fields` what is wrong with which field.
   */
  constructor(status, text, kind = "", fields = []) {
    super(text);
    this.status = status;
    this.kind = kind;
    this.fields = fields;
  }
}

const LOOK_MS = 2000;
const GONE = "The server does not answer. Is it running? Try again.";
// What people are to do is another thing than what programs are to send.
const FOR_PEOPLE = {
  unauthorized: "A key is needed. Enter the one that you were given.",
};

export function problemOf(document) {
  const kind = document.type.split(":").pop();
  const text = FOR_PEOPLE[kind] ?? `${document.title}: ${document.detail}`;
  return new Problem(document.status, text, kind, document.errors);
}

function problemOfAnswer(status, text) {
  try {
    return problemOf(JSON.parse(text));
  } catch {
    return new Problem(status, `The server answered with status ${status}. Try again.`);
  }
}

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Problem(0, GONE);
  }
  if (!answer.ok) throw problemOfAnswer(answer.status, await answer.text());
  return answer;
}

export const readModels = async () => (await ask("/v1/models")).json();

/** Note which of the models are loaded by now, until that is known of all; `onChange` is told. */
export async function untilLoaded(models, onChange) {
  while (models.some(({ ready, not_loaded: reason }) => !ready && !reason)) {
    await new Promise((done) => { setTimeout(done, LOOK_MS); });
    const { models: now } = await readModels().catch(() => ({ models: [] }));
    for (const { id, ready, not_loaded } of now) {
      const known = models.find((model) => model.id === id);
      if (known) Object.assign(known, { ready, not_loaded });
    }
    onChange();
  }
}

export const readJob = async (url) => (await ask(url)).json();
export const readBytes = async (url) => (await ask(url)).arrayBuffer();
export const readBlob = async (url) => (await ask(url)).blob();

/** Remove a job; that there is none any more is as good. */
export async function removeJob(url) {
  try {
    await ask(url, { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

export async function openSession(key) {
  try {
    await ask("/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key }),
    });
  } catch (error) {
    if (error.status === 401) error.message = "This server does not know the key. Check it.";
    throw error;
  }
}

/** Have the server forget the page's cookie. */
export const closeSession = () => ask("/v1/session", { method: "DELETE" });

/** Send a form; XMLHttpRequest, because fetch does not tell how much has been sent. */
export function send(url, fields, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onSent(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(problemOfAnswer(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(new Problem(0, GONE)));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort());
    request.send(fields);
  });
}

/**
 * Watch a job until it is finished; the browser takes a broken connection up where it was.
 *
 * Events do not tell the place in the queue: it is asked for as long as the job waits.
 */
export function watch(job, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(job.links.events);
    const look = async () => {
      try {
        const now = await readJob(job.links.self);
        if (now.state === "queued" && !signal.aborted) onProgress(now);
      } catch {
        // The events tell that the job, or the server, is gone.
      }
    };
    const timer = setInterval(look, LOOK_MS);
    const stop = () => {
      clearInterval(timer);
      source.close();
    };
    const finish = () => {
      stop();
      readJob(job.links.self).then(resolve, reject);
    };
    source.addEventListener("progress", (event) => {
      const now = JSON.parse(event.data);
      if (now.state === "queued") {
        look();
        return;
      }
      clearInterval(timer);
      onProgress(now);
    });
    source.addEventListener("done", finish);
    source.addEventListener("failed", finish);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) finish();
    });
    signal.addEventListener("abort", () => {
      stop();
      reject(signal.reason);
    });
  });
}
