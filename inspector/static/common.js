// What all pages share: words, elements, requests to the API, copying, the help. Text is only ever set as text.

const page = document.documentElement.dataset;

export const root = page.root;
export const mayChange = page.mayChange === "1";
export const words = JSON.parse(document.getElementById("words").textContent);

/** A word of the language of the page; `{name}` in it is replaced. */
export function t(name, values = {}) {
  const text = Object.hasOwn(words, name) ? words[name] : name;
  return text.replace(/\{(\w+)\}/g, (all, key) => (key in values ? String(values[key]) : all));
}

/** So many of something. */
export function count(name, number) {
  return t(number === 1 ? `${name}.one` : name, { n: number.toLocaleString() });
}

/** What a code means; empty for a code that is not known. Behind a colon stands what it is about. */
export function meaning(code) {
  const name = `code.${String(code).split(":")[0]}`;
  return Object.hasOwn(words, name) ? words[name] : "";
}

/** A sentence in which what stands between backticks is code: what to append to an element. */
export function rich(text) {
  return text.split("`").map((part, place) => (place % 2 ? el("code", "", part) : part));
}

/** A verdict in the language of the page: a sentence of it, if it has one, and the server's own words. */
export function verdictOf(verdict) {
  if (!verdict) return "";
  const here = words[`verdict.${verdict.code}`] || (document.documentElement.lang === "en" ? "" : meaning(verdict.code));
  return [here, verdict.text, verdict.advice].filter(Boolean).join(" ");
}

/** An element with a class and text or children. */
export function el(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== ""));
  return made;
}

/** The address of a page or of the API, in the language that was chosen. */
export function at(path, params = {}) {
  const url = new URL(root + path, location.origin);
  for (const [name, value] of Object.entries(params)) if (value !== "" && value !== null) url.searchParams.set(name, value);
  if (page.chosen && !path.startsWith("api/")) url.searchParams.set("lang", page.chosen);
  return url.pathname + url.search;
}

/** The same, fast: of a page, and a filter or none. */
export function linkTo(path, query = "") {
  const params = [query && `q=${encodeURIComponent(query)}`, page.chosen && `lang=${page.chosen}`].filter(Boolean);
  return root + path + (params.length ? `?${params.join("&")}` : "");
}

export class Refused extends Error {
  constructor(status, error) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.error = error;
  }
}

/** What the API answers: an object, or text where it is no JSON. Throws Refused. A body makes it a POST. */
export async function api(path, params = {}, body = undefined) {
  const options = { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
    if (page.csrf) options.headers["X-CSRF-Token"] = page.csrf;
  }
  const answer = await fetch(at(`api/${path}`, params), options);
  const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
  const told = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Refused(answer.status, (isJson && told.error) || {});
  return told;
}

let silence = 0;

/** Say something for a few seconds, also to a screen reader. */
export function say(text, bad = false) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.className = bad ? "shown bad" : "shown";
  clearTimeout(silence);
  silence = setTimeout(() => { place.className = ""; }, 4000);
}

/** Copy text. Where the browser has no clipboard for us (a page without TLS), through a field. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = el("textarea", "unseen");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) return say(t("copy.failed"), true);
  }
  return say(t("copied", { n: text.length }));
}

/** Copy a record as something: `curl` or `corpus`. */
export async function copyAs(id, kind) {
  try {
    const told = await api(`records/${encodeURIComponent(id)}/${kind}`);
    await copy(typeof told === "string" ? told : JSON.stringify(told, null, 1) + "\n");
  } catch (error) {
    say(error.message, true);
  }
}

/** Send the request of a record again, and go to what comes of it. */
export async function playAgain(id) {
  if (!mayChange) return;
  say(t("again.sent"));
  try {
    const told = await api(`records/${encodeURIComponent(id)}/replay`, {}, {});
    if (told.id) location.assign(at(`records/${encodeURIComponent(told.id)}`));
    else say(t("again.done", { status: told.status }));
  } catch (error) {
    say(error.message, true);
  }
}

// -- times and sizes ----------------------------------------------------------------------------------------------------

/** Microseconds as a short text. */
export function seconds(us) {
  if (us === null || us === undefined) return "–";
  if (us < 10000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 100000) return `${(us / 1000).toFixed(0)} ms`;
  if (us < 1000000) return `${(us / 1e6).toFixed(2)} s`;
  if (us < 60000000) return `${(us / 1e6).toFixed(1)} s`;
  const whole = Math.round(us / 1e6);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const two = (number) => String(number).padStart(2, "0");

/** Microseconds since 1970 as the local time of day, with the day if it is not today. */
export function clock(us) {
  const then = new Date(us / 1000);
  const day = then.toDateString() === new Date().toDateString() ? "" : `${two(then.getMonth() + 1)}-${two(then.getDate())} `;
  return `${day}${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
}

/** Times of the page in local time. */
export function localTimes(within = document) {
  for (const each of within.querySelectorAll("time[datetime]")) {
    const then = new Date(each.dateTime);
    each.textContent = clock(then.getTime() * 1000);
    each.title = then.toString();
  }
}

// -- keys ---------------------------------------------------------------------------------------------------------------

/** Call what a key stands for, unless somebody is writing or a dialog is open. */
export function onKeys(actions) {
  const help = document.getElementById("help");
  document.getElementById("keys").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const writing = event.target.closest?.("input, textarea, select");
    if (writing) {
      if (event.key === "Escape") writing.blur();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      help.showModal();
      return;
    }
    const action = actions[event.key];
    if (!action || (event.key === "Enter" && event.target.closest?.("a, button, summary"))) return;
    event.preventDefault();
    action();
  });
}
