// One row of the list. Only what has changed is written again.
import { clock, el, linkTo, meaning, seconds, t } from "./common.js";
import { termOf } from "./filter.js";
import { PROBLEMS, REPAIRS } from "./tones.js";

const MOST_CODES = 3;
const DULL = new Set(["whitespace", "marker", "end_token"]);

const rank = (code) => (PROBLEMS.has(code) ? 0 : REPAIRS.has(code) ? 1 : DULL.has(code) ? 3 : 2);

function set(cell, text) {
  const node = cell.firstChild;
  if (!node) cell.textContent = text;
  else if (node.data !== text) node.data = text; // cheaper than another node: many rows count their seconds
}

const wholeTime = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });

/** A link that adds a term to the filter: the list looks at `data-term` when it is clicked. */
function term(text, name, value, className = "") {
  const link = el("a", `term ${className}`, text);
  const wanted = termOf(name, value);
  link.href = linkTo("", wanted);
  link.title = link.dataset.term = wanted;
  return link;
}

function codesOf(record) {
  const codes = [...new Set(record.codes.map((each) => each.split(" ")[0]))].sort((one, other) => rank(one) - rank(other));
  const shown = codes.slice(0, MOST_CODES).map((code) => {
    const tone = PROBLEMS.has(code) ? "problem" : REPAIRS.has(code) ? "repaired" : "";
    const link = term(code, "code", code, `code ${tone}`);
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

function outcomeOf(record) {
  if (record.state === "open") return term(t("state.open"), "state", "open", "badge o-open");
  if (record.state === "lost") return term(t("state.lost"), "state", "lost", "badge o-failed");
  if (record.failed) {
    const link = record.status >= 400
      ? term(String(record.status), "status", record.status, "badge o-failed")
      : term(record.error, "error", record.error, "badge o-failed");
    if (record.error) link.title = record.error;
    return link;
  }
  return term(t(`outcome.${record.outcome}`), "outcome", record.outcome, `badge o-${record.outcome}`);
}

/** {element, update(record)} */
export function newRow(record) {
  const names = ["time", "model", "row", "outcome", "first", "total", "tok", "codes"];
  const cells = Object.fromEntries(names.map((name) => [name, el("td", `c-${name}`)]));
  const element = el("tr", "", ...names.map((name) => cells[name]));
  element.dataset.id = record.id;
  element.setAttribute("role", "row"); // the style sheet takes the table's own roles away
  for (const name of names) cells[name].setAttribute("role", "cell");
  const open = el("a", "open", clock(record.received_us));
  open.href = linkTo(`records/${encodeURIComponent(record.id)}`);
  open.title = wholeTime.format(record.received_us / 1000);
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
    once("model", now.model, () => [now.model ? term(now.model, "model", now.model) : el("span", "quiet-text", now.path)]);
    once("row", now.row_name, () => [now.row_name ? term(now.row_name, "row", now.row_name) : "–"]);
    once("outcome", `${now.state} ${now.failed} ${now.status} ${now.error} ${now.outcome}`, () => [outcomeOf(now)]);
    once("codes", now.codes.join("\n"), () => codesOf(now));
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
