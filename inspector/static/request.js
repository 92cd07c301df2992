// The folds of a request: its messages, its tools, and the pieces in which the answer came.
import { count, el, seconds, t } from "./common.js";
import { prettyJson, RawPane, unitPlaces } from "./raw.js";

const MOST = 200;
const LONG = 400;

function textPane(text) {
  const pane = el("div", "raw plain");
  const more = el("button");
  more.type = "button";
  more.hidden = true;
  new RawPane(pane, more).fill(text ? [{ kind: "content", raw: text }] : [], []);
  return el("div", "", pane, more);
}

function fold(title, fill, open = false) {
  const made = el("details", "one");
  const summary = el("summary", "", ...title);
  made.append(summary);
  const once = () => {
    if (!made.open) return;
    made.removeEventListener("toggle", once);
    made.append(fill());
  };
  made.addEventListener("toggle", once);
  made.open = open;
  return made;
}

/** What is too long to be read, and no text: data URLs and long base64. */
function elided(value) {
  if (typeof value === "string") {
    const data = /^data:([\w./+-]*);base64,/.exec(value);
    if (data && value.length > LONG) return `${data[0]}… (${Math.ceil(value.length / 1024)} KiB)`;
    if (value.length > 4 * LONG && /^[A-Za-z0-9+/=\s]+$/.test(value) && !/\s\S+\s\S+\s/.test(value.slice(0, LONG))) {
      return `${value.slice(0, 40)}… (${Math.ceil(value.length / 1024)} KiB)`;
    }
    return value;
  }
  if (Array.isArray(value)) return value.map(elided);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, elided(one)]));
  return value;
}

const written = (value) => (typeof value === "string" ? elided(value) : prettyJson(JSON.stringify(elided(value))));

/** The text of a message's content, whichever API it is of; other parts as JSON. */
function contentOf(value) {
  if (typeof value === "string") return elided(value);
  if (!Array.isArray(value)) return value === null || value === undefined ? "" : written(value);
  return value.map((part) => (part && typeof part.text === "string" ? elided(part.text) : written(part))).join("\n");
}

/** The messages of a request of any API: (role, text) in order. */
function messagesOf(asked) {
  const found = [];
  if (asked.system !== undefined) found.push(["system", contentOf(asked.system)]);
  if (asked.instructions) found.push(["instructions", contentOf(asked.instructions)]);
  if (typeof asked.prompt === "string") found.push(["prompt", asked.prompt]);
  if (typeof asked.input === "string") found.push(["input", asked.input]);
  const items = Array.isArray(asked.messages) ? asked.messages : Array.isArray(asked.input) ? asked.input : [];
  for (const item of items) {
    if (!item || typeof item !== "object") continue;
    const { role, type, content, ...rest } = item;
    const more = Object.keys(rest).length ? written(rest) : "";
    found.push([role || type || "?", [contentOf(content), more].filter(Boolean).join("\n")]);
  }
  return found;
}

export function showMessages(place, small, asked) {
  const messages = asked && typeof asked === "object" ? messagesOf(asked) : [];
  small.textContent = String(messages.length);
  place.replaceChildren();
  messages.slice(0, MOST).forEach(([role, text], number) => {
    const size = el("small", "", ` ${count("characters", text.length)}`);
    place.append(fold([el("strong", "", role), size, el("span", "excerpt", text.slice(0, 80))], () => textPane(text), number === messages.length - 1));
  });
  if (!messages.length) place.append(el("p", "quiet-text", t("text.none")));
}

/** The name and the rest of a tool of any API. */
function toolOf(tool) {
  const inner = tool && typeof tool.function === "object" && tool.function ? tool.function : tool;
  return [String(inner?.name ?? inner?.type ?? "?"), String(inner?.description ?? "")];
}

export function showTools(place, small, asked) {
  const tools = asked && Array.isArray(asked.tools) ? asked.tools : asked && Array.isArray(asked.functions) ? asked.functions : [];
  small.textContent = `${tools.length} · ${count("characters", JSON.stringify(tools).length)}`;
  place.replaceChildren();
  for (const tool of tools.slice(0, MOST)) {
    const [name, description] = toolOf(tool);
    const size = el("small", "", ` ${count("characters", JSON.stringify(tool).length)}`);
    place.append(fold([el("code", "", name), size, el("span", "excerpt", description.slice(0, 80))], () => textPane(written(tool))));
  }
  if (asked && asked.tool_choice !== undefined) place.append(el("p", "", el("code", "", "tool_choice"), " ", written(asked.tool_choice)));
  if (!tools.length) place.append(el("p", "quiet-text", t("tools.none")));
}

export function showPieces(place, small, choice) {
  const pieces = choice ? choice.pieces : [];
  const raw = choice ? choice.spans.map((span) => span.raw).join("") : "";
  const ends = unitPlaces(raw, pieces.map((piece) => piece.end));
  small.textContent = String(pieces.length);
  const body = el("tbody");
  const table = el("table", "pieces", el("thead", "", el("tr", "", ...["#", "column.time", "column.after", "column.text"].map((name) => el("th", "", t(name))))), body);
  const more = el("button");
  more.type = "button";
  let shown = 0;
  const next = () => {
    const part = document.createDocumentFragment();
    for (const until = Math.min(shown + MOST, pieces.length); shown < until; shown += 1) {
      const { at_us: now, reasoning } = pieces[shown];
      const before = shown ? pieces[shown - 1].at_us : 0;
      const text = el("td", reasoning ? "text reasoning" : "text", JSON.stringify(raw.slice(shown ? ends[shown - 1] : 0, ends[shown]).slice(0, LONG)).slice(1, -1));
      part.append(el("tr", "", el("td", "number", String(shown + 1)), el("td", "number", seconds(now)), el("td", "number", `+${seconds(now - before)}`), text));
    }
    body.append(part);
    more.hidden = shown >= pieces.length;
    more.textContent = t("more.pieces", { n: pieces.length - shown });
  };
  more.addEventListener("click", next);
  next();
  place.replaceChildren(table, more);
}
