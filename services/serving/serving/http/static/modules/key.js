// The key that a server may ask for: this browser remembers that it was told.

import { closeSession, openSession } from "./api.js";
import { clearProblem, showProblem } from "./problems.js";

const $ = (id) => document.getElementById(id);
const SESSION = "session_until";
const SESSION_MS = 7 * 24 * 3600e3;

/** Ask for a key where the server needs one; `onKnown` is called when it is known. */
export function askForKey(isNeeded, onKnown, onLogOut) {
  const isKnown = Number(localStorage.getItem(SESSION)) > Date.now();
  $("key-form").hidden = !isNeeded || isKnown;
  $("session").hidden = !isNeeded || !isKnown;
  $("key-form").onsubmit = async (event) => {
    event.preventDefault();
    clearProblem();
    try {
      await openSession($("key").value);
    } catch (error) {
      showProblem(error);
      return;
    }
    localStorage.setItem(SESSION, Date.now() + SESSION_MS);
    $("key").value = "";
    $("key-form").hidden = true;
    $("session").hidden = false;
    await onKnown();
  };
  $("log-out").onclick = () => logOut(onLogOut).catch(showProblem);
}

/** Have the server and this browser forget who one is, and what was made. */
async function logOut(onLogOut) {
  await closeSession();
  localStorage.removeItem(SESSION);
  await onLogOut();
  location.reload();
}
