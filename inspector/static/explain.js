// The paste box: a text, tools and a model's name, and what Dragoman makes of them.
import { api, onKeys, Refused, rich, t, verdictOf } from "./common.js";
import { showClient, showDecisions } from "./decisions.js";
import { RawPane } from "./raw.js";

const byId = (id) => document.getElementById(id);
const form = byId("paste");
const wrong = byId("paste-wrong");
const pane = new RawPane(byId("raw"), byId("raw-more"));

/** The tools as JSON; null if they are no list. Throws SyntaxError. */
function tools() {
  const text = byId("paste-tools").value.trim();
  return text ? JSON.parse(text) : [];
}

async function explain() {
  wrong.textContent = "";
  let given;
  try {
    given = tools();
  } catch (error) {
    wrong.textContent = t("explain.tools.wrong", { why: error.message });
    return;
  }
  try {
    const told = await api("explain", {}, { text: byId("paste-text").value, model: byId("paste-model").value.trim(), tools: given });
    show(told);
  } catch (error) {
    wrong.textContent = error instanceof Refused ? error.message : t("unreachable");
  }
}

function show(told) {
  byId("explained").hidden = false;
  document.querySelector(".verdict p").replaceChildren(...rich(verdictOf(told.verdict)));
  byId("syntax").textContent = told.syntax ? t("explain.syntax", { row: told.syntax }) : t("explain.no.syntax");
  pane.fill(told.spans, told.pieces || []);
  showDecisions(byId("decisions"), byId("decisions-more"), told.spans, told.codes, (index) => pane.reveal(index));
  showClient(byId("client"), told.message);
  byId("explained").scrollIntoView({ block: "nearest" });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  explain();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
onKeys({ "/": () => byId("paste-text").focus(), Escape: () => document.activeElement?.blur() });
