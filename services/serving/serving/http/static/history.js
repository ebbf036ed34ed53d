// The jobs that this browser has asked for, kept by the browser.

const NAME = "jobs";
const MOST = 20;

function read() {
  try {
    const jobs = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(jobs) ? jobs : [];
  } catch {
    return [];
  }
}

function write(jobs) {
  try {
    localStorage.setItem(NAME, JSON.stringify(jobs.slice(0, MOST)));
  } catch {
    // Without storage, the page has no history.
  }
}

export const remember = (job, name) =>
  write([{ url: job.links.self, name, at: job.created_at, seed: job.options.seed }, ...read()]);

export const forget = (url) => write(read().filter((job) => job.url !== url));

/** Fill a list with the jobs; `onShow` and `onRemove` are told an address and a name. */
export function showHistory(list, onShow, onRemove) {
  const jobs = read();
  list.replaceChildren(
    ...jobs.map((job) => {
      const item = document.createElement("li");
      const when = new Date(job.at).toLocaleString();
      const seed = job.seed === undefined ? "" : `, seed ${job.seed}`;
      const text = document.createElement("span");
      text.textContent = `${job.name}${seed}, ${when} `;
      item.append(
        text,
        button("Show", `Show ${job.name}${seed}`, () => onShow(job.url, job.name)),
        button("Remove", `Remove ${job.name}${seed}`, () => onRemove(job.url)),
      );
      return item;
    }),
  );
  return jobs.length;
}

function button(text, label, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "plain";
  element.textContent = text;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}
