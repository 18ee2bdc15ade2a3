// The page: wires its parts. Nothing is kept when it is closed.

import { firstModel, keyFrom } from "./api.js";
import { listen as listenToChat, served } from "./chat.js";
import { at } from "./dom.js";
import { listProfiles, listen as listenToProfiles } from "./profiles.js";
import { look, watch } from "./status.js";
import { showTuning } from "./tuning.js";

const PARTS = ["chat", "profiles", "tuning"];

/** Says what belongs to no single answer. */
function tell(error) {
  at("notice").textContent = error?.message ?? "";
  at("notice").hidden = !error;
  if (error) at("notice").scrollIntoView({ block: "nearest" });
  if (error?.status === 401) {
    go("chat");
    at("more").open = true;
    at("key").focus();
  }
}

function go(part) {
  for (const name of PARTS) {
    at(`${name}-part`).hidden = name !== part;
    at(`part-${name}`).setAttribute("aria-pressed", String(name === part));
  }
  if (part === "tuning") showTuning();
}

/** What the page needs before anybody asks. Other errors are told when somebody does. */
async function start() {
  tell(null);
  const quietly = (work) => work.catch((error) => {
    if (error.status === 401) tell(error);
  });
  await Promise.all([
    quietly(firstModel().then((id) => { served.model = id; })),
    quietly(listProfiles()),
  ]);
}

/** The token of `costeer token --page`. What is behind the # never leaves the browser; out of the address it stays out of the history, too. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  at("key").value = token;
  history.replaceState(null, "", location.pathname);
}

keyFrom(() => at("key").value.trim());
takeToken();
const restart = () => {
  start();
  look();
};
addEventListener("hashchange", () => {
  takeToken();
  restart();
});
at("key").addEventListener("change", restart);
for (const part of PARTS) at(`part-${part}`).addEventListener("click", () => go(part));
listenToChat(tell);
listenToProfiles(tell);
start();
watch();
