// New and changed records as the server sends them; where it does not, they are asked for.
import { api, at } from "./common.js";

const POLL_EVERY = 1500;
const CHECK_EVERY = 10000;

/** Call `take` with records until `close` is called. `tell` is told `live`, `away` or `polling`. */
export function follow(query, take, tell) {
  let source = null;
  let timer = 0;
  let closed = false;

  const poll = async () => {
    try {
      take((await api("records", { q: query, limit: 200 })).records);
      tell("polling");
    } catch {
      tell("away");
    }
    if (!closed) timer = setTimeout(source ? listen : poll, POLL_EVERY);
  };

  const listen = () => {
    source = new EventSource(at("api/events", { q: query }));
    source.addEventListener("open", () => tell("live"));
    source.addEventListener("records", (event) => take(JSON.parse(event.data).records));
    source.addEventListener("error", () => {
      tell("away");
      if (source.readyState !== EventSource.CLOSED || closed) return;
      source = null; // an answer that is no stream: the browser does not try again by itself
      timer = setTimeout(poll, POLL_EVERY);
    });
  };

  listen();
  const check = setInterval(() => { if (!source && !closed) tell("polling"); }, CHECK_EVERY);
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(check);
      source?.close();
    },
  };
}
