// A tab for every task that the server offers.

let ids = 0;
let tabs = new Map();  // by task
let choose = () => {};

/** Show tabs where there is a choice of tasks; `onChoose` is told the models of one. */
export function showTabs(list, models, onChoose) {
  const panel = document.getElementById("panel");
  const urls = [...new Set(models.map((model) => model.url))];
  const groups = urls.map((url) => models.filter((model) => model.url === url));
  tabs = new Map(groups.map((group) => [group[0].task, tabOf(group)]));
  choose = (task) => {
    for (const [name, { tab }] of tabs) {
      tab.setAttribute("aria-selected", String(name === task));
      tab.tabIndex = name === task ? 0 : -1;
    }
    const { tab, group } = tabs.get(task);
    if (groups.length > 1) panel.setAttribute("aria-labelledby", tab.id);
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    markTab(task, "");
    onChoose(group);
  };
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...tabs.values()].map(({ tab }) => tab);
    const next = all.at((all.indexOf(document.activeElement) + step) % all.length);
    next.focus();
    next.click();
  });
  list.replaceChildren(...[...tabs.values()].map(({ tab }) => tab));
  list.hidden = groups.length < 2;
  if (groups.length > 1) panel.role = "tabpanel";
  const named = groups.find(([{ url }]) => url.split("/").pop() === location.hash.slice(1));
  choose((named ?? groups[0])[0].task);
}

function tabOf(group) {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.id = `tab-${ids++}`;
  tab.role = "tab";
  tab.textContent = group[0].title;
  tab.setAttribute("aria-controls", "panel");
  tab.addEventListener("click", () => {
    openTab(group[0].task);
    // So that a reload, and a link, lead here.
    history.replaceState(null, "", `#${group[0].url.split("/").pop()}`);
  });
  return { tab, group };
}

/** Turn to a task's tab; whether there is one. */
export function openTab(task) {
  if (!tabs.has(task)) return false;
  choose(task);
  return true;
}

export const titleOf = (task) => (tabs.size > 1 ? tabs.get(task)?.group[0].title : undefined);

/** Say of a tab that is not in sight what goes on there: "working", "done", "failed" or nothing. */
export function markTab(task, state) {
  const tab = tabs.get(task)?.tab;
  if (!tab) return;
  tab.querySelector(".mark")?.remove();
  if (!state || tab.getAttribute("aria-selected") === "true") return;
  const mark = document.createElement("span");
  mark.className = `mark ${state}`;
  mark.textContent = { working: "at work", done: "done", failed: "failed" }[state];
  tab.append(mark);
}
