// A tab for every task that the server offers.

let ids = 0;

/** Show tabs where there is a choice of tasks; `onChoose` is told the models of one. */
export function showTabs(list, models, onChoose) {
  const panel = document.getElementById("panel");
  const urls = [...new Set(models.map((model) => model.url))];
  const groups = urls.map((url) => models.filter((model) => model.url === url));
  const tabs = groups.map((group) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `tab-${ids++}`;
    tab.role = "tab";
    tab.textContent = group[0].title;
    tab.setAttribute("aria-controls", "panel");
    tab.addEventListener("click", () => choose(tab, group));
    return tab;
  });
  const choose = (chosen, group) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
    }
    if (groups.length > 1) panel.setAttribute("aria-labelledby", chosen.id);
    onChoose(group);
  };
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const now = tabs.indexOf(document.activeElement);
    const next = tabs.at((now + step) % tabs.length);
    next.focus();
    next.click();
  });
  list.replaceChildren(...tabs);
  list.hidden = groups.length < 2;
  if (groups.length > 1) panel.role = "tabpanel";
  choose(tabs[0], groups[0]);
}
