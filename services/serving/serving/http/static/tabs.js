// A tab and a form for every task that the server offers.

let ids = 0;

/** Fields of a form, as the server describes them in JSON Schema. */
export function fieldsOf(options) {
  return Object.entries(options).map(([name, schema]) => {
    const field = document.createElement("p");
    const label = document.createElement("label");
    label.htmlFor = name;
    label.textContent = schema.title ?? name;
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.id = `${name}-hint`;
    hint.textContent = schema.description ?? "";
    const control = schema.enum ? choice(schema) : entry(schema);
    control.id = name;
    control.name = name;
    control.setAttribute("aria-describedby", hint.id);
    field.append(label, control, hint);
    return field;
  });
}

function choice(schema) {
  const control = document.createElement("select");
  control.append(...schema.enum.map((value) => new Option(value, value)));
  control.value = schema.default;
  return control;
}

function entry(schema) {
  const control = document.createElement("input");
  const kind = schema.anyOf?.find((part) => part.type !== "null") ?? schema;
  if (kind.type === "integer" || kind.type === "number") {
    control.type = "number";
    control.inputMode = kind.type === "integer" ? "numeric" : "decimal";
    control.step = kind.type === "integer" ? "1" : "any";
    if (kind.minimum !== undefined) control.min = kind.minimum;
    if (kind.maximum !== undefined) control.max = kind.maximum;
  }
  control.placeholder = schema.default ?? "automatic";
  return control;
}

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
