// Pages that only stand there: the help, local times, and Esc back to the list.
import { at, localTimes, onKeys } from "./common.js";

localTimes();
onKeys({ Escape: () => location.assign(at("")) });
