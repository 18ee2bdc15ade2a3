// What the small model would read, in words and numbers.

import { counted } from "./dom.js";

/** A preview in numbers. */
export function previewed(told) {
  if (!told.steered) return `Nothing: ${told.reason}.`;
  const kept = (what, { kept, found }) => `${kept} of ${counted(found, what)}`;
  return `${told.tokens} of ${told.budget} tokens; ${kept("document", told.documents)} that fit the question, ${kept("fact", told.facts)}.`;
}
