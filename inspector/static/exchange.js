// One exchange: the raw text, the decisions, what the client got, and the folds. While it is open the page is asked for
// again, and what has changed in it is put in place.
import { api, at, copy, copyAs, localTimes, onKeys, playAgain, say, t } from "./common.js";
import { showClient, showDecisions } from "./decisions.js";
import { bigText, RawPane } from "./raw.js";
import { showMessages, showPieces, showTools } from "./request.js";

const OPEN_EVERY = 1000;
let data = null;
let pane = null;

const byId = (id) => document.getElementById(id);
const reveal = (index) => pane.reveal(index);

/** Do something when a fold is opened first. */
function onOpen(id, fill) {
  const fold = byId(id);
  if (!fold) return;
  const once = () => {
    if (!fold.open) return;
    fold.removeEventListener("toggle", once);
    fill(fold.querySelector(":scope > div"), fold.querySelector("summary small"));
  };
  fold.addEventListener("toggle", once);
  once();
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fill() {
  data = JSON.parse(byId("data").textContent);
  localTimes(byId("exchange"));
  const spans = data.choice ? data.choice.spans : [];
  if (data.choice) {
    pane = new RawPane(byId("raw"), byId("raw-more"));
    pane.fill(spans, data.choice.pieces);
    showClient(byId("client"), data.choice.message);
  }
  showDecisions(byId("decisions"), byId("decisions-more"), spans, data.codes, reveal);
  for (const name of ["request", "response", "client"]) {
    onOpen(`fold-${name}`, () => bigText(document.querySelector(`[data-text="${name}"]`), data[name]));
  }
  const asked = data.request ? parsed(data.request.text) : null;
  onOpen("fold-messages", (place, small) => showMessages(place, small, asked));
  onOpen("fold-tools", (place, small) => showTools(place, small, asked));
  onOpen("fold-pieces", (place, small) => showPieces(place, small, data.choice));
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copied(button.dataset.copy));
  byId("again")?.addEventListener("click", () => playAgain(data.record.id));
  byId("back").href = at("", { q: filterOfTheList(), at: data.record.id });
  byId("newer-one").addEventListener("click", () => step(-1));
  byId("older-one").addEventListener("click", () => step(1));
}

/** The filter that the list had when it was left. */
function filterOfTheList() {
  return new URLSearchParams(location.search).get("q") || sessionStorage.getItem("dragoman.q") || "";
}

function copied(kind) {
  if (kind !== "raw") return copyAs(data.record.id, kind);
  return data.choice ? copy(pane.raw) : undefined;
}

// -- the exchange before and the one after ------------------------------------------------------------------------------

/** Go to the next newer (-1) or older (1) exchange of the list that was left, or of all. */
async function step(way) {
  const query = filterOfTheList();
  const known = parsed(sessionStorage.getItem("dragoman.ids") || "[]") || [];
  const place = known.indexOf(data.record.id);
  let id = place >= 0 ? known[place + way] : undefined;
  try {
    if (!id && way > 0) id = (await api("records", { q: query, before: data.record.id, limit: 1 })).records[0]?.id;
    if (!id && way < 0) {
      const since = Math.floor(data.record.received_us / 1e6);
      const newer = (await api("records", { q: query, since, limit: 500 })).records.filter((each) => each.id > data.record.id);
      id = newer.at(-1)?.id;
    }
  } catch (error) {
    return say(error.message, true);
  }
  if (!id) return say(t(way > 0 ? "no.older" : "no.newer"));
  return location.assign(at(`records/${encodeURIComponent(id)}`, { q: new URLSearchParams(location.search).get("q") || "" }));
}

// -- while it is open ---------------------------------------------------------------------------------------------------

async function refresh() {
  const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("exchange");
  if (!fresh) return;
  const scrolled = byId("raw").scrollTop;
  const open = [...document.querySelectorAll("#exchange > .folds > details[open]")].map((each) => each.id);
  byId("exchange").replaceWith(document.importNode(fresh, true));
  for (const id of open) if (byId(id)) byId(id).open = true;
  fill();
  byId("raw").scrollTop = scrolled;
}

function watch() {
  if (byId("exchange").dataset.state !== "open") return;
  setTimeout(async () => {
    try {
      if (!document.hidden && !String(getSelection())) await refresh();
    } catch { /* the proxy is away; the next time may do */ }
    watch();
  }, OPEN_EVERY);
}

fill();
watch();
onKeys({
  j: () => step(1),
  k: () => step(-1),
  r: () => byId("again")?.click(),
  c: () => document.querySelector('[data-copy="curl"]').click(),
  x: () => document.querySelector('[data-copy="corpus"]').click(),
  "/": () => location.assign(`${byId("back").href}#filter`),
  Escape: () => location.assign(byId("back").href),
});
