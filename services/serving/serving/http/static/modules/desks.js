// What each tab has: the job that is shown there, its last word, what nobody has seen yet.

import { showProblem } from "./problems.js";
import { markTab, titleOf } from "./tabs.js";
import * as work from "./work.js";

const $ = (id) => document.getElementById(id);
const desks = new Map();  // by task

/** The task whose tab is in sight. */
export const sight = { task: "" };

/** What a tab has. */
export function deskOf(name) {
  const empty = { model: null, shown: null, isDrawn: false, said: "", problem: null, mark: "" };
  if (!desks.has(name)) desks.set(name, empty);
  return desks.get(name);
}

export const allDesks = () => [...desks];

/** What ended the work of a tab, if not its end; told when the tab is looked at. */
export function tell(mine, error) {
  if (error instanceof work.CancelledError) say(mine, error.message);
  else if (error.kind === "no-such-job") say(mine, "The job was removed.");
  else if (mine === sight.task) showProblem(error);
  else {
    deskOf(mine).problem = error;
    leaveMark(mine, "failed");
  }
}

/** The last word of a tab. */
export function say(mine, text) {
  deskOf(mine).said = text;
  if (mine === sight.task && !work.isBusy(mine)) $("status").textContent = text;
}

export function leaveMark(mine, mark) {
  deskOf(mine).mark = mark;
  refreshMark(mine);
  if (!work.isBusy(sight.task)) $("status").textContent = `${titleOf(mine)}: ${mark}.`;
}

export const refreshMark = (name) => markTab(name, work.isBusy(name) ? "working" : deskOf(name).mark);

export function hideResult(mine) {
  Object.assign(deskOf(mine), { shown: null, isDrawn: false });
  if (mine === sight.task) $("result").hidden = true;
}
