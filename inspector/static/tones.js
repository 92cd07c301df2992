// What colour a span has: by what became of it, and by what was decided about it.

export const REPAIRS = new Set([
  "name_repaired", "call_repaired", "arguments_repaired", "arguments_retyped", "arguments_wrapped",
  "arguments_unwrapped", "arguments_closed", "duplicate_key",
]);
export const PROBLEMS = new Set([
  "arguments_unreadable", "arguments_misfit", "undeclared_name", "marker_left", "converter_raised", "required_unmet",
  "unknown_markup", "no_tools", "quoted", "bare_json_with_text", "bare_json_unfit", "undeclared_left", "draft_call",
  "placeholder_call", "declaration", "in_message", "object_left", "reasoning_never_closed",
]);
/** Letters beside the colours. */
export const LETTERS = { reasoning: "R", call: "C", repaired: "F", problem: "X", removed: "D" };

/** The tone of a decision without text. */
export function toneOfCode(code) {
  return REPAIRS.has(code) ? "repaired" : PROBLEMS.has(code) ? "problem" : "noted";
}

/** For each span its tone: `content` or one of LETTERS; `noted` for decisions. A repaired call has its own. */
export function tonesOf(spans) {
  const repaired = new Set();
  const misfits = new Set();
  let last = null;
  spans.forEach((span, place) => {
    if (span.kind === "call") last = span.call;
    if (span.kind !== "noted") return;
    const next = spans.slice(place + 1, place + 4).find((each) => each.kind === "call");
    const call = REPAIRS.has(span.code) && span.code === "name_repaired" && next ? next.call : last ?? next?.call;
    if (call === undefined || call === null) return;
    if (REPAIRS.has(span.code)) repaired.add(call);
    if (span.code === "arguments_misfit" || span.code === "undeclared_name") misfits.add(call);
  });
  return spans.map((span) => {
    if (span.kind === "call") return span.code || misfits.has(span.call) ? "problem" : repaired.has(span.call) ? "repaired" : "call";
    if (span.kind === "noted") return toneOfCode(span.code);
    return span.code && span.kind !== "removed" ? "problem" : span.kind; // why markup was left as it is
  });
}
