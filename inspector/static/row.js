// One row of the list. Only what has changed is written again.
import { at, clock, el, meaning, seconds, t } from "./common.js";
import { termOf } from "./filter.js";
import { PROBLEMS, REPAIRS } from "./tones.js";

const MOST_CODES = 3;
const DULL = new Set(["whitespace", "marker", "end_token"]);

const rank = (code) => (PROBLEMS.has(code) ? 0 : REPAIRS.has(code) ? 1 : DULL.has(code) ? 3 : 2);

function set(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

/** A link that adds a term to the filter. */
function term(text, name, value, onTerm, className = "") {
  const link = el("a", `term ${className}`, text);
  const wanted = termOf(name, value);
  link.href = at("", { q: wanted });
  link.title = wanted;
  link.addEventListener("click", (event) => onTerm(event, wanted));
  return link;
}

function codesOf(record, onTerm) {
  const codes = [...new Set(record.codes.map((each) => each.split(" ")[0]))].sort((one, other) => rank(one) - rank(other));
  const shown = codes.slice(0, MOST_CODES).map((code) => {
    const tone = PROBLEMS.has(code) ? "problem" : REPAIRS.has(code) ? "repaired" : "";
    const link = term(code, "code", code, onTerm, `code ${tone}`);
    link.title = meaning(code) || code;
    return link;
  });
  if (codes.length > MOST_CODES) {
    const more = el("span", "code", `+${codes.length - MOST_CODES}`);
    more.title = codes.slice(MOST_CODES).join(", ");
    shown.push(more);
  }
  return shown;
}

function outcomeOf(record, onTerm) {
  if (record.state === "open") return term(t("state.open"), "state", "open", onTerm, "badge o-open");
  if (record.state === "lost") return term(t("state.lost"), "state", "lost", onTerm, "badge o-failed");
  if (record.failed) {
    const link = record.status >= 400
      ? term(String(record.status), "status", record.status, onTerm, "badge o-failed")
      : term(record.error, "error", record.error, onTerm, "badge o-failed");
    if (record.error) link.title = record.error;
    return link;
  }
  return term(t(`outcome.${record.outcome}`), "outcome", record.outcome, onTerm, `badge o-${record.outcome}`);
}

/** {element, update(record)} */
export function newRow(record, onTerm) {
  const names = ["time", "model", "row", "outcome", "first", "total", "tok", "codes"];
  const cells = Object.fromEntries(names.map((name) => [name, el("td", `c-${name}`)]));
  const element = el("tr", "", ...names.map((name) => cells[name]));
  element.dataset.id = record.id;
  const open = el("a", "open", clock(record.received_us));
  open.href = at(`records/${encodeURIComponent(record.id)}`);
  open.title = new Date(record.received_us / 1000).toLocaleString();
  cells.time.append(open);
  const known = {};
  const once = (name, key, fill) => {
    if (known[name] === key) return;
    known[name] = key;
    cells[name].replaceChildren(...fill());
  };
  const row = { element, record, cells };
  row.update = (now) => {
    row.record = now;
    element.classList.toggle("is-open", now.state === "open");
    element.classList.toggle("is-failed", now.failed);
    once("model", now.model, () => [now.model ? term(now.model, "model", now.model, onTerm) : el("span", "quiet-text", now.path)]);
    once("row", now.row_name, () => [now.row_name ? term(now.row_name, "row", now.row_name, onTerm) : "–"]);
    once("outcome", `${now.state} ${now.failed} ${now.status} ${now.error} ${now.outcome}`, () => [outcomeOf(now, onTerm)]);
    once("codes", now.codes.join("\n"), () => codesOf(now, onTerm));
    set(cells.first, seconds(now.first_word_us));
    set(cells.tok, now.tok_in === null && now.tok_out === null ? "–" : `${now.tok_in ?? "–"}/${now.tok_out ?? "–"}`);
    if (now.state !== "open") set(cells.total, seconds(now.total_us));
    updateElapsed(row);
  };
  row.update(record);
  return row;
}

/** The seconds since an open exchange began. */
export function updateElapsed(row) {
  if (row.record.state !== "open") return;
  set(row.cells.total, `${(Math.max(Date.now() * 1000 - row.record.received_us, 0) / 1e6).toFixed(1)} s`);
}
