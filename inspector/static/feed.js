// New and changed records as the server sends them; where it does not, they are asked for.
import { api, at, Refused } from "./common.js";

const POLL_EVERY = 1500;

/** Call `take` with records, and the ids of those that fit the filter no longer, until `close` is called. `tell` is told `live`, `away` or `polling`. */
export function follow(query, take, tell) {
  let source = null;
  let timer = 0;
  let closed = false;

  const poll = async () => {
    try {
      take((await api("records", { q: query, limit: 200 })).records);
      tell("polling");
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return location.reload(); // the login has ended
      tell("away");
    }
    if (!closed) timer = setTimeout(poll, POLL_EVERY);
    return undefined;
  };

  const listen = () => {
    source = new EventSource(at("api/events", { q: query }));
    source.addEventListener("open", () => tell("live"));
    source.addEventListener("records", (event) => {
      const told = JSON.parse(event.data);
      take(told.records, told.gone);
    });
    source.addEventListener("error", () => {
      tell("away");
      // an answer that is no stream: the browser does not try again by itself
      if (source.readyState !== EventSource.CLOSED || closed) return;
      timer = setTimeout(poll, POLL_EVERY);
    });
  };

  listen();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}
