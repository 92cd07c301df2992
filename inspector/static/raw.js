// The raw text of a model: every character once and in order, coloured by what became of it, with the pieces' borders.
// It is shown 64 KiB at a time, in blocks of about 4 KiB that the browser lays out only when they are looked at.
import { el, meaning, seconds, t } from "./common.js";
import { LETTERS, tonesOf } from "./tones.js";

const PART = 65536;
const BLOCK = 4096;
const ITEM = 16384; // no longer run of text is put in at once

/** Places in characters (code points) as places in a string of JavaScript. `ends` are sorted. */
export function unitPlaces(raw, ends) {
  if (!/[\ud800-\udfff]/.test(raw)) return ends.map((end) => Math.min(end, raw.length));
  const found = [];
  let unit = 0;
  let point = 0;
  for (const end of ends) {
    while (point < end && unit < raw.length) {
      unit += raw.codePointAt(unit) > 0xffff ? 2 : 1;
      point += 1;
    }
    found.push(unit);
  }
  return found;
}

/** Whether a place is in the middle of a character. */
function splitsPair(raw, place) {
  return place > 0 && raw.codePointAt(place - 1) > 0xffff;
}

/** What to show, in order: text of a span, the border of a piece, a decision without text. */
function itemsOf(spans, pieces, raw) {
  const ends = unitPlaces(raw, pieces.map((piece) => piece.end));
  const items = [];
  let pos = 0;
  let cut = 0;
  spans.forEach((span, index) => {
    if (span.raw === "") {
      items.push({ kind: "note", index });
      return;
    }
    const end = pos + span.raw.length;
    for (let from = pos; from < end;) {
      while (cut < ends.length && ends[cut] <= from) cut += 1;
      let to = Math.min(cut < ends.length ? ends[cut] : end, end, from + ITEM);
      if (to < end && splitsPair(raw, to)) to += 1;
      items.push({ kind: "text", index, from, to, first: from === pos });
      if (cut < ends.length && to === ends[cut] && to < raw.length) items.push({ kind: "cut", piece: pieces[cut], number: cut });
      from = to;
    }
    pos = end;
  });
  return items;
}

export class RawPane {
  /** `place` is emptied and filled; `more` is the button that shows the next part. */
  constructor(place, more) {
    this.place = place;
    this.more = more;
    more.addEventListener("click", () => this.show(PART));
  }

  fill(spans, pieces) {
    this.spans = spans;
    this.tones = tonesOf(spans);
    this.raw = spans.map((span) => span.raw).join("");
    this.items = itemsOf(spans, pieces, this.raw);
    this.next = 0;
    this.shown = 0;
    this.block = null;
    this.room = 0;
    this.place.replaceChildren();
    this.show(PART);
  }

  /** Show so many characters more. */
  show(count) {
    const until = this.shown + count;
    const parts = document.createDocumentFragment();
    while (this.next < this.items.length && this.shown < until) {
      this.item(this.items[this.next], parts);
      this.next += 1;
    }
    this.place.append(parts);
    const left = this.raw.length - this.shown;
    this.more.hidden = left <= 0;
    this.more.textContent = t("more", { n: left.toLocaleString() });
  }

  item(item, parts) {
    if (item.kind === "cut") {
      const mark = el("i", "cut");
      mark.title = t("piece.border", { n: item.number + 1, at: seconds(item.piece.at_us) });
      this.into(parts).append(mark);
    } else if (item.kind === "note") {
      this.into(parts).append(this.note(item.index));
    } else {
      for (let from = item.from; from < item.to;) {
        const to = this.blockEnd(from, item.to, parts);
        this.block.append(this.text(item, from, to));
        this.room -= to - from;
        this.shown += to - from;
        from = to;
      }
    }
  }

  into(parts) {
    if (this.block === null) {
      this.block = el("div", "block");
      this.room = BLOCK;
      parts.append(this.block);
    }
    return this.block;
  }

  /** Where the text has to be cut for the block at hand; a new block begins behind a line, if one ends there. */
  blockEnd(from, to, parts) {
    if (this.block !== null && this.room <= 0 && (this.raw[from - 1] === "\n" || this.room <= -BLOCK)) this.block = null;
    this.into(parts);
    if (to - from <= this.room) return to;
    const line = this.raw.indexOf("\n", from + Math.max(this.room, 1) - 1);
    if (line >= 0 && line < to && line - from - this.room < BLOCK) return line + 1;
    if (to - from - this.room <= BLOCK) return to;
    const end = from + Math.max(this.room + BLOCK, 1);
    return Math.min(splitsPair(this.raw, end) ? end + 1 : end, to);
  }

  text(item, from, to) {
    const tone = this.tones[item.index];
    const made = el("span", `s ${tone}`, this.raw.slice(from, to));
    made.dataset.span = item.index;
    const span = this.spans[item.index];
    if (item.first && from === item.from) {
      made.id = `s${item.index}`;
      if (LETTERS[tone]) made.dataset.letter = LETTERS[tone];
    }
    if (span.code) made.title = `${span.code}: ${meaning(span.code)}`;
    if (span.kind === "removed" && /^\s+$/.test(span.raw)) {
      made.classList.add("blank");
      made.dataset.blank = span.raw.includes("\n") ? "⏎" : "␣";
    }
    return made;
  }

  note(index) {
    const span = this.spans[index];
    const made = el("i", `note ${this.tones[index]}`);
    made.id = `s${index}`;
    made.dataset.span = index;
    made.dataset.code = span.code || "";
    made.title = [span.code, span.detail, meaning(span.code)].filter(Boolean).join(" · ");
    return made;
  }

  /** Bring a span into view and show which it is. */
  reveal(index) {
    while (!document.getElementById(`s${index}`) && this.next < this.items.length) this.show(PART);
    for (const each of this.place.querySelectorAll(".picked")) each.classList.remove("picked");
    for (const each of this.place.querySelectorAll(`[data-span="${index}"]`)) each.classList.add("picked");
    document.getElementById(`s${index}`)?.scrollIntoView({ block: "center", behavior: "auto" });
  }
}

/** A long text without colours, shown part by part, and pretty where it is JSON and somebody asks for that. */
export function bigText(place, kept) {
  if (!kept) {
    place.replaceChildren(el("p", "quiet-text", t("text.none")));
    return;
  }
  const pane = el("div", "raw plain");
  pane.tabIndex = 0;
  const more = el("button");
  more.type = "button";
  const raw = new RawPane(pane, more);
  const fill = (text) => raw.fill(text ? [{ kind: "content", raw: text }] : [], []);
  const tools = el("p", "tools");
  if (/^\s*[[{]/.test(kept.text)) {
    const pretty = el("button", "", t("pretty"));
    pretty.type = "button";
    pretty.setAttribute("aria-pressed", "false");
    pretty.addEventListener("click", () => {
      const now = pretty.getAttribute("aria-pressed") !== "true";
      pretty.setAttribute("aria-pressed", String(now));
      fill(now ? prettyJson(kept.text) : kept.text);
    });
    tools.append(pretty);
  }
  if (kept.truncated) tools.append(el("span", "bad", t("truncated")));
  place.replaceChildren(tools, pane, el("p", "", more));
  fill(kept.text);
}

/** JSON with line ends and blanks put in; its digits and its text stay as they are. */
export function prettyJson(text) {
  let out = "";
  let depth = 0;
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (quoted) {
      out += letter;
      if (letter === "\\") out += text[place += 1] ?? "";
      else if (letter === '"') quoted = false;
    } else if (letter === '"') {
      quoted = true;
      out += letter;
    } else if (letter === "{" || letter === "[") {
      const empty = /^\s*[}\]]/.exec(text.slice(place + 1, place + 9));
      if (empty) {
        out += letter + empty[0].trim();
        place += empty[0].length;
      } else {
        depth += 1;
        out += `${letter}\n${"  ".repeat(depth)}`;
      }
    } else if (letter === "}" || letter === "]") {
      depth = Math.max(depth - 1, 0);
      out += `\n${"  ".repeat(depth)}${letter}`;
    } else if (letter === ",") {
      out += `,\n${"  ".repeat(depth)}`;
    } else if (letter === ":") {
      out += ": ";
    } else if (!/\s/.test(letter)) {
      out += letter;
    }
  }
  return out;
}
