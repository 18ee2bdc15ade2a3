// A trace: how each token of an answer was picked. openapi.yaml describes its parts.

const OBJECT = "costeer.trace";
const VERSION = 1;

export class Trace {
  settings = {};
  positions = [];
  report = null;

  /** Adds a part; returns its positions. */
  add(part) {
    if (part.settings) this.settings = part.settings;
    this.positions.push(...part.positions);
    return part.positions;
  }

  /** As a file: neither question nor context is in it. */
  saved() {
    const { settings, positions, report } = this;
    return JSON.stringify({ object: OBJECT, version: VERSION, index: 0, settings, positions, report });
  }

  /** Reads what `saved` has written. Throws where it is something else. */
  static read(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch {
      throw new Error("The file is not JSON.");
    }
    if (file?.object !== OBJECT || file.version !== VERSION || !Array.isArray(file.positions)) {
      throw new Error("The file is no trace that was saved here.");
    }
    if (!file.positions.every(isPosition)) throw new Error("The trace in the file is damaged.");
    const trace = new Trace();
    trace.settings = file.settings ?? {};
    trace.report = file.report ?? null;
    trace.positions = file.positions;
    return trace;
  }
}

function isPosition(position) {
  return Array.isArray(position?.candidates) && Array.isArray(position.bytes) && typeof position.upstream?.id === "number"
    && typeof position.seconds === "object";
}

/** The candidate that was picked. */
export function picked(position) {
  return position.candidates.find((candidate) => candidate.id === position.id);
}

/** By how many nats steering moved the picked token's score. */
export function shiftOf(position) {
  return picked(position)?.shift ?? 0;
}

/** Whether the big model alone would have gone on with another token. */
export function isChanged(position) {
  return position.id !== position.upstream.id && !isOwn(position);
}

/** Whether a token is the big model's alone: a thought, a call of a tool, or what may be the mark of one. */
export function isOwn(position) {
  return !position.steered && ["reasoning", "call", "undecided"].includes(position.phase);
}

/** Milliseconds for which the answer stood still at a position. */
export function waiting(position) {
  return 1000 * (position.seconds.upstream_wait + position.seconds.local_wait);
}

/** A token with its blanks to be seen. */
export function visible(text) {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");
}
