// Terms of the filter: which are there, adding one, and showing which one is wrong.
import { el } from "./common.js";

/** What the chips stand for. */
export const CHIPS = {
  failed: "is:failed",
  slow: "is:slow",
  repaired: "code:*repaired,*retyped,*wrapped,native_*,envelope,finish_reason,role_missing",
};

const TERM = /(?:[^\s"]|"[^"]*"?)+/g;

/** A value as a term has it: in quotation marks where it would be read as more than one. */
export function termOf(name, value) {
  const text = String(value);
  return `${name}:${/[\s,"]/.test(text) ? `"${text.replaceAll('"', "")}"` : text}`;
}

const terms = (text) => text.match(TERM) || [];

export const hasTerm = (text, term) => terms(text).includes(term);

export const addTerm = (text, term) => (hasTerm(text, term) ? text.trim() : [...terms(text), term].join(" "));

export const toggleTerm = (text, term) =>
  hasTerm(text, term) ? terms(text).filter((each) => each !== term).join(" ") : addTerm(text, term);

/** Underline the term of that number and say what is wrong with it; null takes the line away. */
export function markWrong(input, number, message) {
  const mirror = input.parentElement.querySelector(".mirror");
  document.getElementById("wrong").textContent = message;
  input.setAttribute("aria-invalid", String(number !== null));
  mirror.replaceChildren();
  if (number === null) return;
  let last = 0;
  let place = 0;
  for (const found of input.value.matchAll(TERM)) {
    mirror.append(input.value.slice(last, found.index), el("span", place === number || number < 0 ? "bad-term" : "", found[0]));
    last = found.index + found[0].length;
    place += 1;
  }
  mirror.scrollLeft = input.scrollLeft;
}
