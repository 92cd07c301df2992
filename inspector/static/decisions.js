// The decisions about an answer in words, each of which leads to its place in the raw text; and what the client got.
import { count, el, meaning, rich, t } from "./common.js";
import { prettyJson, RawPane } from "./raw.js";
import { LETTERS, toneOfCode, tonesOf } from "./tones.js";

const MOST = 100;
const EXCERPT = 60;

/** One entry for each run of spans that is one decision. */
export function decisionsOf(spans) {
  const tones = tonesOf(spans);
  const found = [];
  const calls = new Map();
  let blank = null; // all white space that was removed is one entry
  spans.forEach((span, index) => {
    const length = span.raw.length;
    if (span.kind === "call") {
      const known = calls.get(span.call);
      if (known) {
        known.length += length;
        known.name ||= span.name;
        return;
      }
      const entry = { index, tone: tones[index], name: span.name, call: span.call, length, text: "", left: span.code };
      calls.set(span.call, entry);
      found.push(entry);
    } else if (span.kind === "noted") {
      found.push({ index, tone: tones[index], code: span.code, detail: span.detail || "", length: 0, text: "" });
    } else if (span.code === "whitespace") {
      if (blank) {
        blank.length += length;
        return;
      }
      blank = { index, tone: "removed", code: span.code, detail: "", length, text: "" };
      found.push(blank);
    } else if (span.code) {
      found.push({ index, tone: tones[index], code: span.code, detail: "", length, text: span.raw });
    } else {
      found.push({ index, tone: span.kind, length, text: span.raw });
    }
  });
  return found;
}

function excerpt(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}

function entryOf(decision, reveal) {
  const item = el("li", decision.tone);
  const letter = el("span", "letter", LETTERS[decision.tone] || (decision.code ? "·" : "="));
  letter.setAttribute("aria-hidden", "true");
  const title = decision.code
    ? el("strong", "", el("code", "", decision.code), decision.detail ? ` ${decision.detail}` : "")
    : decision.call !== undefined
      ? el("strong", "", t("became.call"), " ", el("code", "", decision.name || "?"))
      : el("strong", "", t(`became.${decision.tone}`));
  const size = decision.length ? el("small", "", ` ${count("characters", decision.length)}`) : null;
  const body = el("span", "words", title, size);
  if (decision.code || decision.left) body.append(el("span", "why", ...rich(meaning(decision.code || decision.left))));
  if (decision.text.trim() && decision.tone !== "removed") body.append(el("span", "excerpt", excerpt(decision.text)));
  const link = el(reveal && decision.index !== undefined ? "a" : "div", "", letter, body);
  item.append(link);
  if (link.nodeName === "A") {
    link.href = `#s${decision.index}`;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      reveal(decision.index);
    });
  }
  return item;
}

/** Fill the list of decisions; `codes` of the exchange that have no place in the text stand before them. */
export function showDecisions(list, more, spans, codes, reveal) {
  const placed = decisionsOf(spans);
  const known = new Set(placed.map((each) => each.code).filter(Boolean));
  const others = codes
    .filter((each) => !known.has(each.code))
    .map((each) => ({ tone: toneOfCode(each.code), code: each.code, detail: each.detail || "", length: 0, text: "" }));
  const all = [...others, ...placed];
  list.replaceChildren();
  let shown = 0;
  const next = () => {
    list.append(...all.slice(shown, shown + MOST).map((each) => entryOf(each, reveal)));
    shown += MOST;
    more.hidden = shown >= all.length;
    more.textContent = t("more.decisions", { n: all.length - shown });
  };
  more.onclick = next;
  next();
  if (!all.length) list.append(el("li", "content", el("div", "", t("decisions.none"))));
}

function fold(title, text, open, note = "") {
  const made = el("details", "got");
  made.open = open;
  made.append(el("summary", "", title, " ", el("small", "", note || count("characters", text.length))));
  const pane = el("div", "raw plain");
  pane.tabIndex = 0;
  const more = el("button");
  more.type = "button";
  more.hidden = true;
  made.append(pane, el("p", "", more));
  const fill = () => {
    if (made.open && !pane.firstChild) new RawPane(pane, more).fill(text ? [{ kind: "content", raw: text }] : [], []);
  };
  made.addEventListener("toggle", fill);
  fill();
  return made;
}

/** What a client got of one choice: content, reasoning, calls, finish reason, usage. */
export function showClient(place, message) {
  place.replaceChildren();
  if (message.reasoning) place.append(fold(t("got.reasoning"), message.reasoning, message.reasoning.length < 2000));
  if (message.content) place.append(fold(t("got.content"), message.content, true));
  for (const call of message.calls) {
    const notes = [call.native ? t("got.native") : "", call.how && call.how !== "complete" ? call.how : ""].filter(Boolean);
    const title = el("span", "", t("got.call"), " ", el("code", "", call.name || "?"));
    place.append(fold(title, prettyJson(call.arguments), message.calls.length <= 5, notes.join(", ") || " "));
  }
  if (!message.content && !message.reasoning && !message.calls.length) place.append(el("p", "quiet-text", t("got.nothing")));
  const facts = el("dl", "facts");
  const fact = (name, value) => facts.append(el("div", "", el("dt", "", name), el("dd", "", value)));
  if (message.finish_reason) fact("finish_reason", message.finish_reason);
  for (const [name, value] of Object.entries(message.usage || {})) {
    if (typeof value === "number") fact(name, value.toLocaleString());
  }
  if (facts.firstChild) place.append(facts);
}
