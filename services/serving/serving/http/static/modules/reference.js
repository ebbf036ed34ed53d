// The API for people, drawn from its OpenAPI description.

const routes = document.getElementById("routes");

function make(tag, text = "", ...children) {
  const element = document.createElement(tag);
  element.append(text, ...children);
  return element;
}

/** Text in which what stands between backticks is code. */
const prose = (text) =>
  text.split("`").map((part, index) => (index % 2 ? make("code", part) : part));

/** A schema's kind in a few words. */
function kindOf(schema = {}) {
  if (schema.enum) return schema.enum.join(" or ");
  if (schema.anyOf) {
    return schema.anyOf.filter(({ type }) => type !== "null").map(kindOf).join(" or ");
  }
  if (schema.format === "binary") return "file";
  const [low, high] = [schema.minimum, schema.maximum];
  const range = low === undefined && high === undefined ? "" : `, ${low ?? "…"} to ${high ?? "…"}`;
  return `${schema.type ?? "any"}${range}`;
}

/** With its roles: where the screen is narrow, style makes lists of its rows, which takes them away. */
function table(caption, heads, rows) {
  const cells = heads.map((text) => as("columnheader", make("th", text)));
  for (const cell of cells) cell.scope = "col";
  const lines = rows.map(([first, ...others]) => {
    const name = as("rowheader", make("th", "", make("code", first)));
    name.scope = "row";
    return as("row", make("tr", "", name, ...others.map((text) => as("cell", make("td", text)))));
  });
  const head = as("rowgroup", make("thead", "", as("row", make("tr", "", ...cells))));
  const body = as("rowgroup", make("tbody", "", ...lines));
  return as("table", make("table", "", make("caption", caption), head, body));
}

function as(role, element) {
  element.setAttribute("role", role);
  return element;
}

const fieldRow = (name, schema, description) => [
  name,
  kindOf(schema),
  [description ?? schema?.description ?? "", shownDefault(schema)].filter(Boolean).join(" "),
];

const shownDefault = ({ default: value } = {}) =>
  value === undefined || value === null || value === "" ? "" : `By default ${value}.`;

function operation(path, method, { summary, description, parameters = [], requestBody, responses }) {
  const card = make("section", "");
  card.className = "card";
  const heading = make("h2", "", make("code", `${method.toUpperCase()} ${path}`));
  card.append(heading, make("p", "", ...prose(description || summary || "")));
  if (parameters.length > 0) {
    const rows = parameters.map((item) => [
      ...fieldRow(item.name, item.schema, item.description).slice(0, 2),
      [`In the ${item.in}.`, item.description, shownDefault(item.schema)].filter(Boolean).join(" "),
    ]);
    card.append(table("Parameters", ["name", "is", "about"], rows));
  }
  const form = requestBody?.content["multipart/form-data"]?.schema;
  if (form) {
    const rows = Object.entries(form.properties).map(([name, schema]) => fieldRow(name, schema));
    card.append(table("Fields of the form", ["name", "is", "about"], rows));
  }
  const answers = Object.entries(responses).map(([status, answer]) => [
    status,
    Object.keys(answer.content ?? {}).join(", ") || "nothing",
    answer.description,
  ]);
  card.append(table("Answers", ["status", "with", "when"], answers));
  return card;
}

async function start() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`the server answered with status ${answer.status}`);
  const { paths } = await answer.json();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(methods)) {
      routes.append(operation(path, method, described));
    }
  }
}

start().catch((error) => {
  document.getElementById("problem").textContent = `The API's description is away: ${error.message}.`;
});
