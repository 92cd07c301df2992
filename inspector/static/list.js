// The live list. New records wait while somebody points at a row, reads further down or has chosen one: no row moves
// under the cursor. At most 500 rows are in the page.
import { api, copy, copyAs, localTimes, onKeys, playAgain, Refused, say, t } from "./common.js";
import { follow } from "./feed.js";
import { addTerm, CHIPS, hasTerm, markWrong, toggleTerm } from "./filter.js";
import { newRow, updateElapsed } from "./row.js";

const MOST = 500;
const FIRST = 200;
const TYPING = 300;
const ELAPSED_EVERY = 500;

const byId = (id) => document.getElementById(id);
const body = document.querySelector("#records tbody");
const input = byId("q");
const rows = new Map(); // by id, as shown
const waiting = new Map(); // new records that are not shown yet
let query = input.value;
let paused = false;
let pointed = false;
let selected = null;
let feed = null;
let asked = 0;
const chosenBefore = new URLSearchParams(location.search).get("at");

// -- what is shown ------------------------------------------------------------------------------------------------------

/** Whether rows may be put in now. */
function free() {
  return !paused && (!rows.size || (!pointed && selected === null && scrollY < 60));
}

/** New and changed records, in any order, and the ids of those that fit no longer: they are dimmed until rows may move. */
function take(records, gone = []) {
  for (const id of gone) {
    waiting.delete(id);
    rows.get(id)?.element.classList.add("gone");
  }
  for (const record of records) {
    const row = rows.get(record.id);
    row?.element.classList.remove("gone");
    if (row && !paused) row.update(record);
    else waiting.set(record.id, record);
  }
  if (waiting.size > 2 * MOST) {
    const oldest = [...waiting.keys()].sort().slice(0, waiting.size - MOST);
    for (const id of oldest) waiting.delete(id);
  }
  if (free()) putIn();
  else tellNewer();
}

/** Show what waits, each at its place: names sort as the exchanges began. */
function putIn() {
  for (const element of body.querySelectorAll("tr.gone")) {
    rows.delete(element.dataset.id);
    element.remove();
  }
  const fresh = [...waiting.values()].filter((record) => {
    const row = rows.get(record.id);
    if (row) row.update(record);
    return !row;
  });
  waiting.clear();
  fresh.sort((one, other) => (one.id < other.id ? 1 : -1));
  let next = body.firstElementChild;
  let part = document.createDocumentFragment();
  for (const record of fresh.slice(0, MOST)) {
    while (next && next.dataset.id > record.id) {
      next.before(part);
      part = document.createDocumentFragment();
      next = next.nextElementSibling;
    }
    const row = newRow(record);
    rows.set(record.id, row);
    part.append(row.element);
  }
  body.insertBefore(part, next);
  while (rows.size > MOST) {
    const last = body.lastElementChild;
    rows.delete(last.dataset.id);
    last.remove();
  }
  tellNewer();
  showEmpty();
}

function tellNewer() {
  const fresh = [...waiting.keys()].filter((id) => !rows.has(id)).length;
  const button = byId("newer");
  button.hidden = fresh === 0;
  button.textContent = t("newer", { n: fresh > MOST ? `${MOST}+` : fresh });
}

async function showEmpty() {
  const none = rows.size === 0;
  byId("records").hidden = none;
  byId("none").hidden = byId("hidden").hidden = true;
  if (!none) return;
  if (!query) {
    byId("none").hidden = false;
    return;
  }
  try {
    const { records } = await api("records", { limit: MOST });
    if (rows.size) return;
    if (!records.length) byId("none").hidden = false;
    else {
      byId("hidden").hidden = false;
      byId("hidden").querySelector("h2").textContent = t("empty.hidden", { n: records.length < MOST ? records.length : `${MOST}+` });
    }
  } catch { /* the next batch tells */ }
}

function clear() {
  rows.clear();
  waiting.clear();
  body.replaceChildren();
  choose(null);
}

// -- where it comes from ------------------------------------------------------------------------------------------------

/** Show what a filter finds, and follow it. A filter that cannot be understood is marked, and nothing else changes. */
async function search(text, first = false) {
  const number = (asked += 1);
  let found;
  try {
    found = await api("records", { q: text, limit: FIRST });
  } catch (error) {
    if (number !== asked) return;
    if (error instanceof Refused && error.status === 400) markWrong(input, error.error.at ?? -1, error.message);
    else byId("wrong").textContent = error instanceof Refused ? error.message : t("unreachable");
    if (first && error instanceof Refused && error.status === 400) showEmpty();
    return;
  }
  if (number !== asked) return;
  markWrong(input, null, "");
  query = text;
  remember();
  clear();
  for (const record of found.records) waiting.set(record.id, record);
  putIn();
  byId("older-line").hidden = !found.next;
  tellLost(found.lost);
  feed?.close();
  feed = follow(query, take, (state) => { document.documentElement.dataset.feed = state; showState(); });
  if (first && chosenBefore) choose(chosenBefore);
}

function tellLost(lost) {
  const count = Object.values(lost || {}).reduce((sum, one) => sum + one, 0);
  byId("lost").hidden = count === 0;
  byId("lost").textContent = t("lost", { n: count, why: Object.keys(lost || {}).join(", ") });
}

async function older() {
  const last = body.lastElementChild?.dataset.id;
  if (!last) return;
  const room = MOST - rows.size;
  const found = await api("records", { q: query, before: last, limit: Math.min(FIRST, Math.max(room, 1)) });
  const part = document.createDocumentFragment();
  for (const record of found.records.slice(0, room)) {
    const row = newRow(record);
    rows.set(record.id, row);
    part.append(row.element);
  }
  body.append(part);
  const full = rows.size >= MOST;
  byId("older-line").hidden = !found.next && !full;
  byId("older").disabled = full;
  if (full) byId("older").textContent = t("older.full", { n: MOST });
}

// -- the filter ---------------------------------------------------------------------------------------------------------

function remember() {
  const url = new URL(location.href);
  if (query) url.searchParams.set("q", query);
  else url.searchParams.delete("q");
  if (selected) url.searchParams.set("at", selected);
  else url.searchParams.delete("at");
  history.replaceState(null, "", url);
  const other = byId("language");
  const there = new URL(url);
  there.searchParams.set("lang", other.hreflang);
  other.href = there.pathname + there.search;
  for (const chip of document.querySelectorAll("[data-chip]")) {
    chip.setAttribute("aria-pressed", String(hasTerm(input.value, CHIPS[chip.dataset.chip])));
  }
}

function setFilter(text) {
  input.value = text;
  markWrong(input, null, "");
  search(text.trim());
}

let typing = 0;
input.addEventListener("input", () => {
  markWrong(input, null, "");
  clearTimeout(typing);
  typing = setTimeout(() => search(input.value.trim()), TYPING);
});
byId("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search(input.value.trim());
});
for (const chip of document.querySelectorAll("[data-chip]")) {
  chip.addEventListener("click", () => setFilter(toggleTerm(input.value, CHIPS[chip.dataset.chip])));
}
byId("clear")?.addEventListener("click", (event) => {
  event.preventDefault();
  setFilter("");
});

// -- pausing, pointing, choosing ----------------------------------------------------------------------------------------

function showState() {
  const state = paused ? "paused" : document.documentElement.dataset.feed || "live";
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").dataset.state = state;
  byId("pause").querySelector(".state").textContent = t(`live.${state}`);
}

function pause() {
  paused = !paused;
  showState();
  if (free()) putIn();
}

/** Choose a row by the id of its record, or none. */
function choose(id) {
  if (selected) rows.get(selected)?.element.classList.remove("selected");
  selected = id && rows.has(id) ? id : null;
  if (selected) {
    const row = rows.get(selected).element;
    row.classList.add("selected");
    row.querySelector("a.open").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  remember();
  if (free()) putIn();
}

function move(way) {
  const now = selected ? rows.get(selected)?.element : null;
  const next = now ? (way > 0 ? now.nextElementSibling : now.previousElementSibling) : body.firstElementChild;
  if (next) choose(next.dataset.id);
}

const withChosen = (act) => () => (selected ? act(selected) : say(t("choose.first")));

if (body) {
  body.addEventListener("pointerenter", () => { pointed = true; });
  body.addEventListener("pointerleave", () => {
    pointed = false;
    if (free()) putIn();
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    const link = event.target.closest("a.term");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      setFilter(addTerm(input.value, link.dataset.term));
      return;
    }
    if (!row || event.target.closest("a, button") || String(getSelection())) return;
    row.querySelector("a.open").click();
  });
  byId("newer").addEventListener("click", () => {
    choose(null);
    putIn();
    scrollTo({ top: 0 });
  });
  byId("pause").addEventListener("click", pause);
  byId("older").addEventListener("click", () => older().catch((error) => say(error.message, true)));
  byId("copy-command").addEventListener("click", () => copy(document.querySelector(".command").textContent));
  addEventListener("pagehide", () => {
    sessionStorage.setItem("dragoman.ids", JSON.stringify([...body.children].map((each) => each.dataset.id)));
    sessionStorage.setItem("dragoman.q", query);
  });
  addEventListener("scroll", () => { if (waiting.size && free()) putIn(); }, { passive: true });
  setInterval(() => { for (const row of rows.values()) updateElapsed(row); }, ELAPSED_EVERY);
  search(query.trim(), true);
  if (location.hash === "#filter") input.focus();
}
localTimes();
onKeys({
  j: () => move(1),
  k: () => move(-1),
  Enter: withChosen((id) => rows.get(id).element.querySelector("a.open").click()),
  Escape: () => choose(null),
  "/": () => { input.focus(); input.select(); },
  p: pause,
  r: withChosen(playAgain),
  c: withChosen((id) => copyAs(id, "curl")),
  x: withChosen((id) => copyAs(id, "corpus")),
});
