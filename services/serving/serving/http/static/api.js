// What the page asks of the server.

export class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

const GONE = "The server does not answer. Is it running? Try again.";

async function problemOf(status, text) {
  try {
    const problem = JSON.parse(text);
    return new Problem(status, `${problem.title}: ${problem.detail}`);
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
  if (!answer.ok) throw await problemOf(answer.status, await answer.text());
  return answer;
}

export const readModels = async () => (await ask("/v1/models")).json();
export const readJob = async (url) => (await ask(url)).json();
export const readBytes = async (url) => (await ask(url)).arrayBuffer();
export const removeJob = (url) => ask(url, { method: "DELETE" });

export const openSession = (key) =>
  ask("/v1/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
  });

/** Send a form; XMLHttpRequest, because fetch does not tell how much has been sent. */
export function send(url, fields, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onSent(event.loaded / event.total);
    });
    request.addEventListener("load", async () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(await problemOf(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(new Problem(0, GONE)));
    request.send(fields);
  });
}

/** Watch a job until it is finished; the browser takes a broken connection up where it was. */
export function watch(job, onProgress) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(job.links.events);
    const finish = () => {
      source.close();
      readJob(job.links.self).then(resolve, reject);
    };
    source.addEventListener("progress", (event) => onProgress(JSON.parse(event.data)));
    source.addEventListener("done", finish);
    source.addEventListener("failed", finish);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) finish();
    });
  });
}
