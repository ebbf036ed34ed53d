// Problems are told where they are: at the file, at a field, or at the button.

const $ = (id) => document.getElementById(id);
// What is nothing to people.
const FOR_PROGRAMS = "; the API's list of models names every type";
const OF_FILES = ["file", "unsupported-type", "unusable-video", "too-large", "bad-request"];

export function clearProblem() {
  $("problem").textContent = "";
  $("form").append($("problem"));
  for (const control of document.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
  }
}

/** Tell a problem of the server's, or one that was found here; `place` is where else it belongs. */
export function showProblem(error, place) {
  clearProblem();
  $("status").textContent = "";
  const wrong = (error.fields ?? [])
    .map(({ field, detail }) => ({ control: optionOf(field) ?? namedIn(detail), detail }))
    .filter(({ control }) => control);
  const text = inWords(error.message);
  if (error.status === 401) return placeAt($("key-form"), text, $("key"));
  if (place) return placeAt(place, text);
  if (error.place) return placeAt($(error.place), text);
  const control = wrong[0]?.control ?? namedIn(error.message);
  if (control) {
    $("more").open = true;
    return placeAt(control.closest("p"), wrong[0] ? inWords(wrong[0].detail) : text, control);
  }
  if (OF_FILES.includes(error.kind)) return placeAt($("drop"), text, $("video"));
  return placeAt($("form"), text);
}

/** The names of options that words cannot be taken for, such as start_s. */
const namesOf = () =>
  [...$("options").querySelectorAll("[name]")].filter(({ name }) => name.includes("_"));

const nameIn = (name) => new RegExp(`\\b(an? )?${name}\\b`, "g");

/** A text of the API's with what the fields are called here. */
function inWords(text) {
  return namesOf().reduce(
    (told, { name, labels }) => told.replaceAll(nameIn(name), `“${labels[0].textContent}”`),
    text.replace(FOR_PROGRAMS, ""),
  );
}

/** The option that a text is about: the first that it names. */
function namedIn(text) {
  const found = namesOf()
    .map((control) => ({ control, at: text.search(nameIn(control.name)) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at);
  return found[0]?.control ?? null;
}

/** The control of an option that this form has; the name comes from the server. */
function optionOf(name) {
  const control = $("form").elements.namedItem(name);
  return control instanceof HTMLElement && $("options").contains(control) ? control : null;
}

function placeAt(place, text, control) {
  const problem = $("problem");
  if (place.id === "key-form") place.hidden = false;
  place.append(problem);
  problem.textContent = text;
  control?.setAttribute("aria-invalid", "true");
  control?.setAttribute("aria-errormessage", "problem");
  if (control && control.id !== "video") control.focus();
  problem.scrollIntoView({ block: "nearest" });
}
